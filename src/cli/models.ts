import { Command } from "commander";
import type { ModelDescription } from "../tasks/pretrained/describe-model.ts";
import { downloadProgress } from "./download-progress.ts";
import { type Io, write } from "./io.ts";
import { describedLines, size } from "./models-text.ts";

const HELP = `
The hub is that of HF_ENDPOINT (default: https://huggingface.co). HF_TOKEN proves who asks, where a model is private or has
terms; it is sent to that hub alone. Models go to the cache, $XDG_CACHE_HOME/heed/models; a download that was stopped goes on.

  heed models fetch sentence-transformers/all-MiniLM-L6-v2
  heed look sentence-transformers/all-MiniLM-L6-v2 "The cat sat on the mat."
`;

interface FetchFlags {
  revision?: string;
  file?: string;
  dir?: string;
  json?: boolean;
}

function fetchCommand(io: Io): Command {
  return new Command("fetch")
    .description("download from the Hugging Face hub what heed needs of a model, and check it")
    .argument("<name>", "OWNER/NAME, as the hub has it")
    .option("--revision <revision>", "a branch, a tag or a commit (default: main)")
    .option("--file <name>", "the file of the weights, such as one of several GGUF files")
    .option(
      "--dir <folder>",
      "where OWNER/NAME goes, to be used by its path (default: the cache, $XDG_CACHE_HOME/heed/models)",
    )
    .option("--json", "what came, as one object: name, commit, folder, files with lengths and checksums")
    .addHelpText("after", HELP)
    .action(async (name: string, { revision, file, dir, json }: FetchFlags) => {
      const { fetchModel } = await import("../tasks/pretrained/hub/fetch-model.ts");
      const shown = downloadProgress(io.stderr);
      const fetched = await fetchModel(name, {
        ...{ revision, file, cacheDir: dir, onProgress: shown.on },
        ...{ endpoint: io.env.HF_ENDPOINT, token: io.env.HF_TOKEN },
      }).finally(shown.stop);
      if (json) return write(io.stdout, `${JSON.stringify(fetched)}\n`);
      const { files, modelType, licence, commit, folder } = fetched;
      const bytes = files.reduce((sum, one) => sum + one.bytes, 0);
      const verb = fetched.fetched ? "fetched and checked" : "already there";
      const facts = [
        `${files.length} files, ${size(bytes)}`,
        ...(modelType ? [modelType] : []),
        ...(licence ? [`licence ${licence}`] : []),
        `commit ${commit.slice(0, 12)}`,
        folder,
      ];
      await write(io.stdout, `${fetched.name}: ${verb}; ${facts.join("; ")}\n`);
    });
}

function listCommand(io: Io): Command {
  return new Command("list")
    .description("the models that were fetched, and those that ship with heed")
    .option("--dir <folder>", "where to look (default: the cache, $XDG_CACHE_HOME/heed/models)")
    .option("--json", "as one object: {fetched, shipped}")
    .action(async ({ dir, json }: { dir?: string; json?: boolean }) => {
      const { cachedModels, shippedModels } = await import("../tasks/pretrained/hub/cached-models.ts");
      const [fetched, shipped] = [cachedModels(dir), shippedModels()];
      if (json) return write(io.stdout, `${JSON.stringify({ fetched, shipped })}\n`);
      for (const { name, modelType, bytes, licence, whole, folder } of fetched) {
        const facts = whole ? [size(bytes), ...(licence ? [licence] : [])] : [size(bytes), "not whole"];
        await write(io.stdout, `${name}  ${modelType ?? "no config.json"}; ${facts.join(", ")}; ${folder}\n`);
      }
      for (const { name, task, bytes, folder } of shipped)
        await write(io.stdout, `${name}  ${task}; ${size(bytes)}, ships with heed; ${folder}\n`);
    });
}

function showCommand(io: Io): Command {
  return new Command("show")
    .description("what is in a published model and what loading it would take; no value is read")
    .argument("<model>", "a folder with config.json and weights, a file of weights, or a name of the list")
    .option("--tensors", "each tensor too, with its type and shape")
    .option("--json", "all of it, each tensor too, as one object")
    .action(async (place: string, { tensors, json }: { tensors?: boolean; json?: boolean }) => {
      const { describeModel } = await import("../tasks/pretrained/describe-model.ts");
      const described: ModelDescription = await describeModel(place);
      const text = json ? JSON.stringify(described) : describedLines(described, tensors ?? false).join("\n");
      await write(io.stdout, `${text}\n`);
    });
}

/** `heed models`: `fetch OWNER/NAME`, `list` and `show MODEL`. */
export function modelsCommand(io: Io): Command {
  return new Command("models")
    .description("Fetches published models, lists them, and shows what is in one.")
    .addCommand(fetchCommand(io))
    .addCommand(listCommand(io))
    .addCommand(showCommand(io));
}
