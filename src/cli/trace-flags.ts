import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Command, Option } from "commander";
import { FileError, UsageError } from "../core/errors.ts";
import { escapeControls } from "../core/escape-controls.ts";
import { fileReason } from "../core/file-reason.ts";
import { importTrace, type Trace } from "../inspect/index.ts";
import { type DrawOptions, THROUGH, type Through, type View } from "../views/index.ts";
import { viewsThatChoose } from "../views/list.ts";
import { renamed } from "../views/named.ts";
import { PALETTES, type Palette } from "../viz/color.ts";
import { COLOR_SCALES, type ColorScale, type Theme } from "../viz/index.ts";
import { visible } from "../viz/text.ts";
import { oneOf, unreadable, unwritable, wholeNumber, wrongFlag } from "./flags.ts";
import { type Io, write } from "./io.ts";

/** What `show`, `svg`, `png` and `html` have in common: a trace, and which part of it. */
export interface TraceFlags {
  view?: View;
  layer?: number[];
  head?: number[];
  query?: number;
  step?: number;
  gate?: string;
  through?: Through;
  glimpseSize?: [number, number];
  palette?: Palette;
  colorScale?: ColorScale;
  valueNorms?: boolean;
  theme?: Theme;
  softmax?: boolean;
  mostBytes?: number;
}

const MOST = 1_000_000;

/** Adds the trace and the flags that choose a part of it: several layers or heads where a view takes a pair. */
export function takesTrace(command: Command, views: readonly View[]): Command {
  const name = nameOf(command);
  const hasPairs = views.includes("compare") && views.includes("heads");
  return command
    .argument("<trace>", "a trace, .npz, .npy, BertViz's JSON or CSV; the contents decide, not the name")
    .addOption(new Option("--view <view>", views.join(", ")).argParser(oneOf(name, "--view", views)))
    .option(
      "--layer <n>",
      `the layer, from 0${hasPairs ? "; two for --view compare: 0,1" : ""}`,
      numberList(name, "--layer"),
    )
    .option(
      "--head <n>",
      `the head, from 0${hasPairs ? "; several for --view heads and compare: 0,2,5" : ""}`,
      numberList(name, "--head"),
    )
    .option("--softmax", "the numbers are scores: take the softmax of each row first")
    .option(
      "--most-bytes <n>",
      "the most memory that reading the trace may take (default: 2^30)",
      wholeNumber(name, "--most-bytes", 1, Number.MAX_SAFE_INTEGER, "try --most-bytes 4294967296"),
    )
    .option(
      "--through <way>",
      `for --view ${viewsThatChoose("through")}: ${THROUGH.join(", ")} (default: rollout)`,
      oneOf(name, "--through", THROUGH),
    )
    .option("--palette <name>", PALETTES.join(", "), oneOf(name, "--palette", PALETTES))
    .option(
      "--color-scale <scale>",
      `how colours follow weights in heat maps: ${COLOR_SCALES.join(", ")} (default: linear)`,
      oneOf(name, "--color-scale", COLOR_SCALES),
    );
}

/** The flag of the commands that draw a heat map themselves. */
export function takesNorms(command: Command): Command {
  const what = "for --view heatmap: each weight times the length of its key's value, vnorm in the trace";
  return command.option("--value-norms", what);
}

/** The flags of pictures, which have views that a terminal has not. */
export function takesMore(command: Command): Command {
  const name = nameOf(command);
  return command
    .option(
      "--query <n>",
      `the query, from 0: for ${viewsThatChoose("query")}, and image where patches look at patches`,
      wholeNumber(name, "--query", 0, MOST, "try --query 0"),
    )
    .option(
      "--step <n>",
      "one glimpse, from 0 (default: the first eight)",
      wholeNumber(name, "--step", 0, MOST, "try --step 0"),
    )
    .option("--gate <name>", "the gate, for the view gates")
    .option("--glimpse-size <RxC>", "rows and columns of a Gaussian glimpse, such as 12x12", (text: string) =>
      glimpseSize(name, text),
    );
}

/** Flags as the views take them. */
function drawOptions(flags: TraceFlags): DrawOptions {
  const { layer, head, softmax: _, mostBytes: __, ...rest } = flags;
  const one = (list: number[]) => (list.length === 1 ? list[0]! : list);
  // Of all views it is the only one that shows them.
  const view = rest.view ?? (rest.valueNorms ? "heatmap" : undefined);
  return {
    ...rest,
    ...(view && { view }),
    ...(layer && { layer: one(layer) }),
    ...(head && { head: one(head) }),
  };
}

/** Maps of so many weights are worth the tenth of a second in which the kernels are compiled. */
const MANY = 2 ** 21;

/** What recomputes a trace's maps: the kernels where a layer is large, plain loops elsewhere. */
async function mapsOf({ layers }: Trace): Promise<Pick<DrawOptions, "computer">> {
  if (!layers.some(({ q, T, S }) => q && T * S >= MANY)) return {};
  const [{ init }, { kernelMaps }] = await Promise.all([
    import("../kernels/init.ts"),
    import("../capture/kernel-maps.ts"),
  ]);
  await init({ threads: 1 });
  return { computer: kernelMaps };
}

/** @throws FileError UNREADABLE */
export function readWhole(command: string, file: string): Uint8Array {
  try {
    if (statSync(file).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return readFileSync(file);
  } catch (error) {
    throw new FileError("UNREADABLE", unreadable(command, visible(file), fileReason(error)));
  }
}

/** What a command does with a trace. */
type Work<Result> = (
  trace: Trace,
  options: DrawOptions & { readonly onWarning: (message: string) => void },
) => Result | Promise<Result>;

/**
 * Reads the trace and does the work, with what recomputes its maps; errors and warnings that leave the work begin with the
 * command's name.
 */
export async function withTrace<Result>(
  io: Io,
  command: string,
  file: string,
  flags: TraceFlags,
  work: Work<Result>,
): Promise<Result> {
  // What a reader found odd comes again with each drawing.
  const said = new Set<string>();
  const onWarning = (message: string) => {
    if (said.has(message)) return;
    said.add(message);
    io.stderr.write(`${escapeControls(message.replace(/^[\w-]+(?=: )/, command))}\n`);
  };
  const { softmax, mostBytes } = flags;
  try {
    const options = { ...(softmax && { softmax }), ...(mostBytes !== undefined && { mostBytes }) };
    const trace = importTrace(readWhole(command, file), path.basename(file), options);
    for (const warning of trace.warnings ?? []) onWarning(warning);
    return await work(trace, { ...drawOptions(flags), onWarning, ...(await mapsOf(trace)) });
  } catch (error) {
    throw renamed(command, error);
  }
}

/** What a command draws a trace by: the flags that are its own come apart from those that choose a part of the trace. */
interface Drawing<Own> {
  /** Of the file, when nothing is said. */
  readonly extension: string;
  draw(...args: [...Parameters<Work<string | Uint8Array>>, own: Own]): ReturnType<Work<string | Uint8Array>>;
}

/** Adds `--out`, and does what the command is for: reads the trace, draws it, writes the file. */
export function drawsFile<Own extends object>(
  io: Io,
  command: Command,
  { extension, draw }: Drawing<Own>,
): Command {
  const name = nameOf(command);
  const place = `TRACE${extension} in this folder`;
  return command
    .option("-o, --out <file>", `where to; - is standard output (default: ${place})`)
    .action(async (file: string, { out, ...flags }: TraceFlags & Own & { out?: string }) => {
      const own = flags as unknown as Own;
      const drawn = await withTrace(io, name, file, flags, (trace, options) => draw(trace, options, own));
      if (out === "-") return write(io.stdout, drawn);
      const target = out ?? `${path.parse(file).name}${extension}`;
      writeFile(name, target, drawn);
      io.stderr.write(`${name}: drew ${visible(target)}${out ? "" : "; --out names another file"}\n`);
    });
}

function writeFile(command: string, file: string, data: string | Uint8Array): void {
  try {
    writeFileSync(file, data);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const got = code === "ENOENT" ? `no folder ${path.dirname(file)}` : fileReason(error);
    throw new FileError("UNWRITABLE", unwritable(command, visible(file), got));
  }
}

const nameOf = (command: Command) => `heed ${command.name()}`;

function numberList(command: string, flag: string) {
  return (text: string): number[] => {
    if (/^\d{1,6}(,\d{1,6})*$/.test(text)) return text.split(",").map(Number);
    const rule = "a whole number from 0, or several with commas";
    throw new UsageError("USAGE", wrongFlag(command, flag, rule, text, `try ${flag} 0`));
  };
}

function glimpseSize(command: string, text: string): [number, number] {
  const [, rows, columns] = /^([1-9]\d{0,2})x([1-9]\d{0,2})$/.exec(text) ?? [];
  if (rows && columns) return [Number(rows), Number(columns)];
  const remedy = "try --glimpse-size 12x12";
  throw new UsageError("USAGE", wrongFlag(command, "--glimpse-size", "rows x columns", text, remedy));
}
