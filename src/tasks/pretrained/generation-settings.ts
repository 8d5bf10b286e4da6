import { ConfigJson } from "../../models/pretrained/config-json.ts";
import type { SamplingOptions } from "../../models/transformer/sampling.ts";

type Json = Readonly<Record<string, unknown>>;

/** How the authors of a model have it write. */
export interface GenerationSettings {
  readonly sampling: SamplingOptions;
  /** Tokens that end a text. */
  readonly stop: readonly number[];
  /** What a decoder with an encoder begins with. */
  readonly start?: number;
  /** Tokens to add at most. */
  readonly maxTokens?: number;
  /** Tokens of a text at most, its prompt among them. */
  readonly maxLength?: number;
  /** Entries that ask for something that is not done, as `name=value`. */
  readonly ignored: readonly string[];
}

/** What transformers takes where a sampled model says nothing of it. */
const SAMPLED = { temperature: 1, topK: 50, topP: 1 };
/** Entries that change what is written, with the value at which they do not. */
const NOT_DONE: readonly (readonly [name: string, without: unknown])[] = [
  ["num_beams", 1],
  ["num_beam_groups", 1],
  ["no_repeat_ngram_size", 0],
  ["encoder_no_repeat_ngram_size", 0],
  ["encoder_repetition_penalty", 1],
  ["penalty_alpha", 0],
  ["typical_p", 1],
  ["epsilon_cutoff", 0],
  ["eta_cutoff", 0],
  ["min_p", 0],
  ["min_length", 0],
  ["min_new_tokens", 0],
  ["forced_bos_token_id", undefined],
  ["sequence_bias", undefined],
  ["begin_suppress_tokens", undefined],
];
/** The ids with which a text ends, in the metadata of a GGUF file. */
const GGUF_ENDS = ["eos", "eot", "eom"].map((name) => `tokenizer.ggml.${name}_token_id`);

/**
 * Settings of generation_config.json, else of config.json, where models had them once; of a GGUF file the tokens that end a
 * text. Without `do_sample` the likeliest token is taken, whatever stands there of temperatures.
 *
 * @throws DataError FORMAT naming an entry
 * @example
 * const { sampling, stop } = generationSettings({ do_sample: true, temperature: 0.6, eos_token_id: [2, 7] });
 * sampling; // { temperature: 0.6, topK: 50, topP: 1, repetitionPenalty: 1, never: [] }
 * stop; // [2, 7]
 */
export function generationSettings(
  generation: Json = {},
  config: Json = {},
  metadata: ReadonlyMap<string, unknown> = new Map(),
): GenerationSettings {
  const json = new ConfigJson({ ...config, ...generation }, "generation_config.json");
  const sampled = json.flag("do_sample", false);
  const repetitionPenalty = json.number("repetition_penalty", 1);
  const never = [...idsOf(json, "bad_words_ids"), ...idsOf(json, "suppress_tokens")];
  const stop = [...idsOf(json, "eos_token_id"), ...GGUF_ENDS.flatMap((name) => metadata.get(name) ?? [])];
  const [start] = idsOf(json, "decoder_start_token_id");
  const [maxTokens, maxLength] = ["max_new_tokens", "max_length"].map((name) =>
    (json.get(name) ?? null) === null ? undefined : json.size(name),
  );
  const ignored = NOT_DONE.flatMap(([name, without]) => {
    const value = json.get(name) ?? undefined;
    return value === undefined || value === without ? [] : `${name}=${JSON.stringify(value)}`.slice(0, 80);
  });
  return {
    sampling: {
      ...(sampled && {
        temperature: json.number("temperature", SAMPLED.temperature),
        ...topK(json),
        topP: json.number("top_p", SAMPLED.topP),
      }),
      repetitionPenalty,
      never,
    },
    stop: stop.filter((id): id is number => Number.isSafeInteger(id)),
    ...(start !== undefined && { start }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(maxLength !== undefined && { maxLength }),
    ignored,
  };
}

/** 0 is all of them there. */
function topK(json: ConfigJson): Pick<SamplingOptions, "topK"> {
  const value = json.number("top_k", SAMPLED.topK);
  return value === 0 ? {} : { topK: value };
}

/** One id, a list of them, or a list of lists of one. */
function idsOf(json: ConfigJson, key: string): number[] {
  const value = json.get(key) ?? [];
  const ids = [value].flat(2);
  const isOne = Array.isArray(value) && value.every((entry) => !Array.isArray(entry) || entry.length === 1);
  if (ids.every((id) => Number.isSafeInteger(id) && (id as number) >= 0) && (isOne || !Array.isArray(value)))
    return ids as number[];
  throw json.fault(key, "must be a token's id, or a list of ids", value);
}
