import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { FileError, UsageError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { locateModel } from "../data/locate-model.ts";
import { shippedModel } from "../tasks/model-folder.ts";
import { hubOf } from "../tasks/pretrained/hub/repository.ts";
import { unreadable, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { hasScreen, openBrowser } from "./studio/browser.ts";
import { openPlaces } from "./studio/opened.ts";
import { ownFolders } from "./studio/own-folders.ts";
import { startStudioServer } from "./studio/server.ts";

const NAME = "heed studio";
const PORT = 4343;
const PAGES = fileURLToPath(new URL("../../dist/studio", import.meta.url));

/** Names of traces, which no model has: one that is not there is said to be none. */
const TRACE = /\.(attn|npz|npy|json|csv)$/;

const HELP = `
The studio is a page that this machine serves to itself: nothing of yours leaves it, and no other machine can ask. Traces and
models that are named stand in its list of documents, fetched ones by OWNER/NAME; others can be dropped on it. A page asks one
place elsewhere, the hub of HF_ENDPOINT (default: https://huggingface.co), and only when its reader opens a model of it. It ends
with Ctrl-C.

  heed studio
  heed studio t.attn other.attn
  heed studio model.safetensors
  heed studio sentence-transformers/all-MiniLM-L6-v2
  heed studio --port 8080 --no-open translation-en
`;

interface Flags {
  port: number;
  open: boolean;
}

/** `heed studio [TRACE|MODEL…]`: the studio on this machine. */
export function studioCommand(io: Io): Command {
  return new Command("studio")
    .description("Opens the studio: look at traces and models in the browser.")
    .argument("[files...]", "traces, folders or files of models, or names of models that ship with heed")
    .option(
      "--port <n>",
      "where it listens; the next free one where that is taken",
      wholeNumber(NAME, "--port", 0, 65_535, "try --port 8080"),
      PORT,
    )
    .option("--no-open", "only print the address")
    .addHelpText("after", HELP)
    .action((files: string[], flags: Flags) => serve(files, flags, io));
}

async function serve(files: readonly string[], flags: Flags, io: Io): Promise<void> {
  if (!existsSync(PAGES)) {
    const fault = unreadable(NAME, PAGES, "no such folder");
    throw new FileError("MISSING", { ...fault, remedy: "run npm run build" });
  }
  const { places, folders } = openPlaces(NAME, files.map(placeOf));
  const server = await start({
    folders: [...folders, ...ownFolders(PAGES)],
    opened: places,
    // What a token lets one read is no page's business.
    hub: hubOf({ endpoint: io.env.HF_ENDPOINT, token: "" }).endpoint,
    port: flags.port,
  });
  if (flags.port !== 0 && server.port !== flags.port)
    io.stderr.write(`${NAME}: port ${flags.port} is taken, ${server.port} is free\n`);
  // From here on, since who reads the address may end it at once.
  const ended = interrupted();
  const address = places.length > 0 ? `${server.url}#d=opened-0` : server.url;
  await write(io.stdout, `The studio is at ${address}\nCtrl-C ends it.\n`);
  if (flags.open && io.stdout.isTTY && hasScreen(io.env)) openBrowser(address);
  await ended;
  await server.close();
}

/** A file or folder, a model that ships with heed, or one that was fetched, by its name. @throws FileError MISSING */
const placeOf = (name: string): string => (TRACE.test(name) ? name : locateModel(shippedModel(name)));

async function start(options: Parameters<typeof startStudioServer>[0]) {
  try {
    return await startStudioServer(options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const got = code === "EADDRINUSE" ? "twenty that are taken" : fileReason(error);
    const fault = { op: NAME, rule: `port ${options.port} or one of the next must be free`, got };
    throw new UsageError("USAGE", { ...fault, remedy: "name another one with --port", flag: "--port" });
  }
}

/** Done when the reader ends the program, or the system does. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
