/** The files beside the weights of a published model, and traces: what each is read by, and seeds that are damaged. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { mutate } from "./mutate.mjs";
import { mutateJson } from "./mutate-json.mjs";

const folder = path.resolve(import.meta.dirname, "../../test/fixtures");
const bytesOf = (/** @type {string} */ name) => new Uint8Array(readFileSync(path.join(folder, name)));
const jsonOf = (/** @type {string} */ name) => JSON.parse(readFileSync(path.join(folder, name), "utf8"));
const namesIn = (/** @type {string} */ part) =>
  readdirSync(path.join(folder, part)).map((name) => path.basename(name, ".json"));

/** The most memory that a model may take in the campaign. */
const MOST_BYTES = 2 ** 26;
/** What a tokenizer has to read. */
const TEXT = "The sun rises, 3 times; naïve 東京 <s>\n\tend";

/**
 * @typedef {{ integer(below: number): number }} Random
 * @typedef {{ name: string, mutate(random: Random): any, read(damaged: any): unknown }} Reader
 */

/** The weights of a fixture as a checkpoint that was opened. */
function checkpointOf(/** @type {Record<string, { shape: number[], values: number[] }>} */ state) {
  const infos = Object.entries(state).map(([name, { shape, values }]) => [
    name,
    { dtype: "F32", shape, bytes: 4 * values.length },
  ]);
  return {
    format: "safetensors",
    tensors: new Map(/** @type {any} */ (infos)),
    metadata: new Map(),
    read: async (/** @type {string} */ name) => Float32Array.from(state[name]?.values ?? []),
    close: async () => {},
  };
}

/** Bytes or JSON: half of the copies stay JSON, the others are what a text becomes. */
function mutateText(/** @type {unknown} */ whole, /** @type {Random} */ random) {
  if (random.integer(2) === 0) return JSON.stringify(mutateJson(whole, random)) ?? "";
  return new TextDecoder().decode(mutate(new TextEncoder().encode(JSON.stringify(whole)), random));
}

/** An index of two files, which are opened as it says. @returns {Reader} */
function shardedIndex(
  /** @type {any} */ { openCheckpoint, openSharded, parseIndex, memoryBytes, DataError },
) {
  const name = "model.safetensors.index.json";
  const file = bytesOf("checkpoints/small.safetensors");
  const header = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + Number(new DataView(file.buffer).getBigUint64(0, true)))),
  );
  const tensors = Object.keys(header).filter((key) => key !== "__metadata__");
  const places = tensors.map((tensor, n) => [tensor, `part-${n % 2}.safetensors`]);
  const whole = { metadata: { total_size: file.length }, weight_map: Object.fromEntries(places) };
  return {
    name,
    mutate: (random) => mutateText(whole, random),
    async read(text) {
      const open = async (/** @type {string} */ part) => {
        if (/^part-[01]\.safetensors$/.test(part)) return openCheckpoint(memoryBytes(file, part));
        throw new DataError("MISSING", { op: name, rule: "a part must be there", got: part, remedy: "none" });
      };
      const checkpoint = await openSharded(name, parseIndex(name, text), open);
      for (const tensor of checkpoint.tensors.keys()) await checkpoint.read(tensor);
      await checkpoint.close();
    },
  };
}

/** config.json beside weights that fit it. @returns {Reader} */
function config(/** @type {any} */ { loadPretrained, generationSettings }, /** @type {string} */ name) {
  const { config, state } = jsonOf(`transformer/${name}.json`);
  return {
    name,
    mutate: (random) => mutateJson(config, random) ?? {},
    async read(damaged) {
      // What is no object is refused by whoever reads the file.
      if (typeof damaged !== "object" || Array.isArray(damaged)) return;
      const model = await loadPretrained(checkpointOf(state), damaged, { mostBytes: MOST_BYTES });
      model.dispose();
      generationSettings({}, damaged);
    },
  };
}

/** generation_config.json. @returns {Reader} */
function generation(/** @type {any} */ { generationSettings }) {
  const whole = {
    ...{ do_sample: true, temperature: 0.6, top_k: 40, top_p: 0.9, eos_token_id: [2, 7], max_new_tokens: 20 },
    ...{ max_length: 30, repetition_penalty: 1.1, bad_words_ids: [[3]], suppress_tokens: [1], num_beams: 1 },
    ...{ decoder_start_token_id: 0, forced_bos_token_id: null, min_length: 0 },
  };
  return {
    name: "generation_config.json",
    mutate: (random) => mutateJson(whole, random),
    read: (damaged) =>
      typeof damaged === "object" && damaged !== null ? generationSettings(damaged, damaged) : undefined,
  };
}

/** A tokenizer reads a text, and writes it back. */
function useTokenizer(/** @type {any} */ { encodeText, decodeIds, HeedError }, /** @type {any} */ read) {
  if (read.refusal && !(read.refusal instanceof HeedError)) throw read.refusal;
  if (!read.tokenizer) return;
  const { ids, tokens } = encodeText(read.tokenizer, TEXT);
  if (ids.length !== tokens.length) throw new Error(`${ids.length} ids of ${tokens.length} tokens`);
  decodeIds(read.tokenizer, ids);
}

const isObject = (/** @type {unknown} */ x) => typeof x === "object" && x !== null && !Array.isArray(x);
const metadataOf = (/** @type {string} */ name) => jsonOf(`tokenizers/${name}.json`).metadata;

/** tokenizer.json. @returns {Reader} */
function tokenizerJson(/** @type {any} */ parts, /** @type {string} */ name) {
  const { tokenizer } = parts.ggufTokenizer(new Map(Object.entries(metadataOf(name))));
  return {
    name,
    mutate: (random) => mutateJson(tokenizer, random),
    read: (damaged) =>
      isObject(damaged) &&
      useTokenizer(
        parts,
        parts.readTokenizer(() => damaged, new Map()),
      ),
  };
}

/** The metadata of a GGUF file that a tokenizer is made of. @returns {Reader} */
function ggufMetadata(/** @type {any} */ parts, /** @type {string} */ name) {
  const metadata = metadataOf(name);
  const none = () => undefined;
  return {
    name,
    mutate: (random) => mutateJson(metadata, random),
    read: (damaged) =>
      isObject(damaged) && useTokenizer(parts, parts.readTokenizer(none, new Map(Object.entries(damaged)))),
  };
}

/** adapter_config.json and the weights beside it, on the base that they belong to. @returns {Reader} */
function adapter(/** @type {any} */ parts, /** @type {string} */ name) {
  const { loadPretrained, LoraAdapter, openCheckpoint, memoryBytes } = parts;
  const { base, config, weights } = jsonOf(`adapters/${name}.json`);
  const fixture = jsonOf(`transformer/${base}.json`);
  const file = new Uint8Array(Buffer.from(weights, "base64"));
  /** @type {Promise<any> | undefined} */
  let model;
  return {
    name,
    mutate: (random) =>
      random.integer(2) === 0
        ? { config: mutateJson(config, random), file }
        : { config, file: mutate(file, random) },
    async read({ config, file }) {
      if (typeof config !== "object" || config === null) return;
      model ??= loadPretrained(checkpointOf(fixture.state), fixture.config);
      const checkpoint = await openCheckpoint(memoryBytes(file, "adapter_model.safetensors"));
      const read = await LoraAdapter.read(checkpoint, config, await model, fixture.config);
      read.dispose();
    },
  };
}

/** A trace, or what others write of attention, with what a view takes of it. @returns {Reader} */
function trace(
  /** @type {any} */ { importTrace, layerMap, headStatistics, HeedError },
  /** @type {string} */ name,
  /** @type {(random: Random) => Uint8Array} */ mutate,
) {
  return {
    name,
    mutate,
    read(bytes) {
      for (const layer of importTrace(bytes, "file").layers) {
        const map = layerMap(layer);
        map.row(layer.H - 1, layer.T - 1);
        map.tile(0, map.levels - 1, 0, 0);
        try {
          headStatistics(map, 0);
        } catch (error) {
          if (!(error instanceof HeedError)) throw error;
        }
      }
    },
  };
}

/** @returns {Reader[]} */
function traces(/** @type {any} */ parts) {
  const text = new TextEncoder();
  const weights = [
    [
      [1, 0],
      [0.5, 0.5],
    ],
  ];
  const json = {
    attention: [{ name: "a", attn: [[weights[0]]], left_text: ["x", "y"], right_text: ["x", "y"] }],
  };
  const files = {
    "trace.safetensors": parts.writeTrace(parts.importTrace(bytesOf("inspect/translation.npz"), "t")),
    "kinds.npz": bytesOf("inspect/kinds.npz"),
    "translation.npz": bytesOf("inspect/translation.npz"),
    "table.csv": text.encode(',I,love\n"J\'",0.9,0.1\naime,0.25,0.75\n'),
  };
  return [
    ...Object.entries(files).map(([name, bytes]) => trace(parts, name, (random) => mutate(bytes, random))),
    trace(parts, "bertviz.json", (random) => text.encode(mutateText(json, random))),
  ];
}

/** What the readers are in: modules of a build, or of the sources. */
export const MODULES = [
  ...["checkpoints/index", "core/errors", "models/pretrained/load", "models/adapters/lora"],
  ...[
    "tasks/pretrained/generation-settings",
    "tasks/pretrained/tokenizer",
    "tasks/pretrained/gguf-tokenizer",
  ],
  ...["inspect/index", "host/select"],
];

/** Files of one kind as one reader, which takes a copy of any of them. @returns {Reader} */
function anyOf(/** @type {string} */ name, /** @type {Reader[]} */ readers) {
  return {
    name,
    mutate(random) {
      const reader = /** @type {Reader} */ (readers[random.integer(readers.length)]);
      return { reader, damaged: reader.mutate(random) };
    },
    read: ({ reader, damaged }) => reader.read(damaged),
  };
}

/** Every reader of such files, of what the modules export. @returns {Promise<Reader[]>} */
export async function modelFiles(/** @type {any} */ parts) {
  await parts.useHeedBackend();
  const each = (/** @type {string} */ part, /** @type {(parts: any, name: string) => Reader} */ make) =>
    namesIn(part).map((name) => make(parts, name));
  return [
    shardedIndex(parts),
    anyOf("config.json", each("transformer", config)),
    generation(parts),
    anyOf("tokenizer.json", each("tokenizers", tokenizerJson)),
    anyOf("tokenizers of GGUF", each("tokenizers", ggufMetadata)),
    anyOf("adapters", each("adapters", adapter)),
    ...traces(parts),
  ];
}

/** What is wrong with how a reader takes one damaged copy; undefined where nothing is. */
export async function faultOfFile(
  /** @type {{ HeedError: Function }} */ { HeedError },
  /** @type {Reader} */ reader,
  /** @type {Random} */ random,
) {
  try {
    await reader.read(reader.mutate(random));
    return undefined;
  } catch (error) {
    return error instanceof HeedError ? undefined : `${error instanceof Error ? error.stack : error}`;
  }
}
