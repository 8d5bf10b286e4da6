import { type Checkpoint, memoryBytes, openCheckpoint } from "../../../src/checkpoints/index.ts";
import { openSharded, parseIndex } from "../../../src/checkpoints/sharded.ts";
import { loadPretrained } from "../../../src/models/pretrained/load.ts";
import { generate } from "../../../src/models/transformer/generate.ts";
import { generationSettings } from "../../../src/tasks/pretrained/generation-settings.ts";
import { PretrainedModel } from "../../../src/tasks/pretrained/model.ts";
import { decodeIds, readTokenizer } from "../../../src/tasks/pretrained/tokenizer.ts";
import { ClassTrainer } from "./class-trainer.ts";
import type { FileBytes } from "./files.ts";
import type { LiveModel } from "./model.ts";
import { operations } from "./operations.ts";
import { publishedSubject } from "./subjects.ts";
import { traceBytes } from "./trace-bytes.ts";

/** Tokens that are looked at. */
const MOST_SHOWN = 96;

/** A published model of opened files: weights, config.json and tokenizer.json, or one GGUF file. @throws Error for the reader */
export async function openPretrained(files: FileBytes): Promise<LiveModel> {
  const names = Object.keys(files);
  const weights = names.find((name) => /\.(safetensors|gguf|bin)$/.test(name));
  if (!weights)
    throw new Error(
      `weights are missing: a .safetensors, .bin or .gguf file is needed, got ${names.join(", ")}`,
    );
  const json = (name: string): Record<string, unknown> | undefined => {
    if (!Object.hasOwn(files, name)) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(files[name])) as Record<string, unknown>;
    } catch (cause) {
      throw new Error(`${name} is no JSON`, { cause });
    }
  };
  const checkpoint = await openWeights(files, weights);
  const isGguf = checkpoint.format === "gguf";
  const config = json("config.json") ?? {};
  if (!isGguf && names.every((name) => name !== "config.json"))
    throw new Error(`config.json must be opened together with ${weights}; choose the whole folder`);
  try {
    const settings = generationSettings(json("generation_config.json"), config, checkpoint.metadata);
    const read = readTokenizer(json, isGguf ? checkpoint.metadata : new Map());
    const model = await loadPretrained(checkpoint, config);
    return live(new PretrainedModel({ model, ...read, config, settings }));
  } finally {
    await checkpoint.close();
  }
}

/** The file of the weights, or all of them where an index says which tensor is in which. */
async function openWeights(files: FileBytes, weights: string): Promise<Checkpoint> {
  const index = Object.keys(files).find((name) => name.endsWith(".index.json"));
  if (index === undefined) return openCheckpoint(memoryBytes(files[weights]!));
  const places = parseIndex(index, new TextDecoder().decode(files[index]));
  return openSharded(index, places, async (name) => {
    if (Object.hasOwn(files, name)) return openCheckpoint(memoryBytes(files[name]!));
    throw new Error(`${name} is missing, which ${index} names; open all files of the model at once`);
  });
}

function live(published: PretrainedModel): LiveModel {
  const { model, tokenizer, config } = published;
  const { encoderLayers, decoderLayers, heads, head } = model.config;
  const writes = encoderLayers === 0 && head !== undefined;
  const layers = encoderLayers + decoderLayers;
  return {
    facts: {
      ...{ layers, heads },
      description: `${String(config.model_type ?? "a model")}, ${layers} layers of ${heads} heads`,
    },
    acts: {
      read({ text, add }) {
        const { ids, tokens } = published.encode(text);
        const shown = { ids: ids.slice(0, MOST_SHOWN), tokens: tokens.slice(0, MOST_SHOWN) };
        const next = () => {
          const [added] = generate(model, [[...ids]], { maxTokens: add, stop: published.settings.stop });
          return decodeIds(tokenizer!, added!);
        };
        return {
          ...{
            tokens: shown.tokens,
            cut: ids.length - shown.ids.length,
            trace: traceBytes(published.look(shown)),
          },
          ...(writes && add > 0 && { next: next() }),
        };
      },
      ...(writes && operations(({ text }) => publishedSubject(published, text))),
      ...(encoderLayers > 0 &&
        decoderLayers === 0 && {
          trainClasses: (input, context) => new ClassTrainer(published, input).run(context),
        }),
    },
    dispose: () => published.dispose(),
  };
}
