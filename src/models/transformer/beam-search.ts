import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { padBatch } from "../../data/batching.ts";
import { tidy } from "../../ops/tidy.ts";
import { topLogits } from "../../ops/top-logits.ts";
import {
  Beam,
  type Hypothesis,
  type Restriction,
  type SearchTokens,
  type StepNumbers,
} from "../seq2seq/beam.ts";
import { KeyValueCache } from "./cache.ts";
import { checkTransformer } from "./check-model.ts";
import type { HeadRows, Transformer } from "./transformer.ts";

export interface TransformerSearchOptions {
  /** Hypotheses kept at each step; 1 is greedy. At most the vocabulary. @default 1 */
  beam?: number;
  /** Longest output in tokens, of all sources or as a function of each. @default 2·source + 10 */
  maxLength?: number | ((source: readonly number[]) => number);
  /** α of the length penalty of Wu et al. (arxiv.org/abs/1609.08144); 0 favours short outputs. @default 1 */
  lengthPenalty?: number;
  /** What begins and ends an output, and what it may not hold. */
  tokens: SearchTokens;
  /** Ids that outputs are made of, `tokens.end` among them, ascending; no others are scored. @default the vocabulary */
  outputs?: Int32Array;
  /** What each output may hold, by source. @default anything */
  restrictions?: readonly (Restriction | undefined)[];
}

/**
 * The likeliest outputs of an encoder and a decoder for a batch of sources, by beam search (greedy where `beam` is 1).
 * The hypotheses of a source are rows of one attention call; choosing among them moves no key and no value. Sources that
 * are done leave the batch.
 *
 * @param sources ids of each source, at least one
 * @returns for every source its hypotheses, best first, at most `beam`; their `weights` are empty
 * @throws OptionError OPTION, CONFLICT
 * @example
 * const model = new Transformer(vaswani({ encoderLayers: 1, decoderLayers: 1, width: 8, heads: 2, vocabulary: 11 }), 1);
 * const [[best]] = searchTransformer(model, [[3, 4, 5]], { beam: 2, tokens: { start: 1, end: 2, never: [0, 1] } });
 * best.ids.length <= 16; // true
 */
export function searchTransformer(
  model: Transformer,
  sources: readonly (readonly number[])[],
  options: TransformerSearchOptions,
): Hypothesis[][] {
  const { beam: K = 1, maxLength, lengthPenalty = 1, tokens } = options;
  checkTransformer("searchTransformer", model);
  check(model, sources, options);
  const results: Hypothesis[][] = sources.map(() => []);
  if (sources.length === 0) return results;
  const longest = (source: readonly number[]) =>
    typeof maxLength === "function" ? maxLength(source) : (maxLength ?? 2 * source.length + 10);
  const columns = new Columns(options.outputs);
  const beamTokens = columns.tokens(tokens);
  let beams = sources.map((source, n) => {
    const restriction = columns.restriction(options.restrictions?.[n]);
    return new Beam(n, K, longest(source), lengthPenalty, beamTokens, restriction);
  });
  // One row for what begins all outputs, then one for each hypothesis and step.
  const capacity = 1 + K * Math.max(...sources.map(longest));
  const cache = new KeyValueCache(model, { examples: sources.length, capacity });
  const { ids: sourceIds, lengths, rows: B, width: S } = padBatch(sources);
  let memory: tf.Tensor3D | undefined;
  let rows: HeadRows | undefined;
  let logits: tf.Tensor2D | undefined;
  try {
    rows = columns.outputs && tidy(() => model.headRows(tf.tensor1d(columns.outputs!, "int32")));
    memory = tf.tidy(() => model.encode({ tokens: tf.tensor2d(sourceIds, [B, S], "int32"), lengths }));
    let parents: number[] | undefined;
    while (beams.length > 0) {
      const width = parents ? K : 1;
      const ids = parents
        ? beams.flatMap((beam) => beam.tokens.map((column) => columns.id(column)))
        : beams.map(() => tokens.start);
      const given = {
        cache,
        ...(memory && { memory, memoryLengths: lengths }),
        ...(parents && { parents }),
      };
      logits = tidy(() => {
        const states = model.decode({ tokens: tf.tensor2d(ids, [beams.length, width], "int32") }, given);
        return model.logits(tf.reshape(states, [beams.length * width, -1]) as tf.Tensor2D, rows);
      });
      memory?.dispose();
      memory = undefined;
      const step = numbersOf(logits, 2 * K + SPARE);
      const next = beams.map((beam, b) => beam.advance(step, b * width));
      logits.dispose();
      const open = beams.map((_, b) => b).filter((b) => next[b] !== undefined);
      for (const [b, beam] of beams.entries())
        if (!next[b]) results[beam.source] = beam.ranked.map((one) => columns.hypothesis(one));
      if (open.length > 0 && open.length < beams.length) cache.keep(open);
      parents = open.flatMap((b) => next[b]!.map((row) => (parents ? row - b * width : -1)));
      beams = open.map((b) => beams[b]!);
    }
  } finally {
    memory?.dispose();
    logits?.dispose();
    tf.dispose(rows);
    cache.dispose();
  }
  return results;
}

/** Tokens read of a row beyond those that a beam needs: so many may be such as an output may not hold. */
const SPARE = 6;

/** The best `count` tokens of each row; all logits are read where those do not do. */
function numbersOf(logits: tf.Tensor2D, count: number): StepNumbers {
  const most = Math.min(count, logits.shape[1]);
  const found = topLogits(logits, most);
  let all: Float32Array | undefined;
  const step = {
    get logits() {
      all ??= logits.dataSync<"float32">();
      return all;
    },
    top: {
      values: found.values.dataSync<"float32">(),
      columns: found.columns.dataSync<"int32">(),
      count: most,
    },
    norms: found.norms.dataSync<"float32">(),
    weights: new Float32Array(0),
  };
  tf.dispose(Object.values(found));
  return step;
}

/** Columns of scores and the ids that they stand for: the same, unless outputs are made of some ids alone. */
class Columns {
  readonly outputs: Int32Array | undefined;
  readonly #columns: ReadonlyMap<number, number> | undefined;

  constructor(outputs: Int32Array | undefined) {
    this.outputs = outputs;
    this.#columns = outputs && new Map(Array.from(outputs, (id, column) => [id, column]));
  }

  id(column: number): number {
    return this.outputs ? this.outputs[column]! : column;
  }

  tokens({ start, end, never }: SearchTokens): SearchTokens {
    const columns = this.#columns;
    if (!columns) return { start, end, never };
    return { start, end: columns.get(end)!, never: never.flatMap((id) => columns.get(id) ?? []) };
  }

  restriction(given: Restriction | undefined): Restriction | undefined {
    if (!(given && this.outputs)) return given;
    return {
      allows: (column) => given.allows(this.id(column)),
      after: (column) => this.restriction(given.after(this.id(column)))!,
    };
  }

  hypothesis(found: Hypothesis): Hypothesis {
    return this.outputs ? { ...found, ids: found.ids.map((column) => this.id(column)) } : found;
  }
}

function check(
  { config: { encoderLayers, decoderLayers, head, vocabulary: V } }: Transformer,
  sources: readonly (readonly number[])[],
  { beam = 1, maxLength = 1, outputs, tokens }: TransformerSearchOptions,
): void {
  const op = "searchTransformer";
  const refuse = (code: "OPTION" | "CONFLICT", rule: string, got: unknown, remedy: string): never => {
    throw new OptionError(code, { op, rule, got, remedy });
  };
  if (encoderLayers === 0 || decoderLayers === 0 || !head)
    refuse(
      "CONFLICT",
      "the model must have an encoder, a decoder and a head",
      "another one",
      "use generate for a decoder alone",
    );
  const choices = outputs?.length ?? V;
  if (!(Number.isSafeInteger(beam) && beam >= 1 && beam <= choices))
    refuse(
      "OPTION",
      `beam must be an integer from 1 to the ${choices} tokens of ${outputs ? "the outputs" : "the vocabulary"}`,
      beam,
      "4 is usual",
    );
  for (const source of sources) {
    const length = typeof maxLength === "function" ? maxLength(source) : maxLength;
    const remedy = "choose one in that range or leave it out";
    if (!(Number.isSafeInteger(length) && length >= 1))
      refuse("OPTION", "maxLength must be an integer ≥ 1", length, remedy);
  }
  if (outputs && !outputs.includes(tokens.end))
    refuse("OPTION", "outputs must hold the token that ends an output", `none of id ${tokens.end}`, "add it");
  const empty = sources.findIndex(({ length }) => length === 0);
  if (empty >= 0)
    refuse("OPTION", "every source must have a token", `none in source ${empty}`, "leave it out");
}
