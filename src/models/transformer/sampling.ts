import { OptionError } from "../../core/errors.ts";
import type { RandomStream } from "../../core/random.ts";

export interface SamplingOptions {
  /** Divides the logits; 0 takes the likeliest token. @default 0 */
  temperature?: number;
  /** Only the k likeliest tokens. @default all */
  topK?: number;
  /** Only the likeliest tokens that together have this share, at least one (Holtzman et al. 2020, arxiv.org/abs/1904.09751). @default 1 */
  topP?: number;
  /**
   * Divides positive logits of tokens that the text has already and multiplies the others (Keskar et al. 2019 §4.1,
   * arxiv.org/abs/1909.05858). @default 1
   */
  repetitionPenalty?: number;
  /** Tokens that are never chosen. @default none */
  never?: readonly number[];
}

/** @throws OptionError OPTION */
export function checkSampling(
  op: string,
  { temperature = 0, topK, topP = 1, repetitionPenalty = 1 }: SamplingOptions,
): void {
  const refuse = (rule: string, got: unknown): never => {
    throw new OptionError("OPTION", { op, rule, got, remedy: "choose one in that range or leave it out" });
  };
  if (!(temperature >= 0 && temperature < Infinity)) refuse("temperature must be a number ≥ 0", temperature);
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 1))
    refuse("topK must be an integer ≥ 1", topK);
  if (!(topP > 0 && topP <= 1)) refuse("topP must be above 0 and at most 1", topP);
  if (!(repetitionPenalty > 0 && repetitionPenalty < Infinity))
    refuse("repetitionPenalty must be a number above 0", repetitionPenalty);
}

/** Logits with what `repetitionPenalty` and `never` make of them; the given ones where there is neither. */
function adjusted(
  logits: Float32Array,
  { repetitionPenalty = 1, never = [] }: SamplingOptions,
  text: readonly number[],
): Float32Array {
  if (repetitionPenalty === 1 && never.length === 0) return logits;
  const out = logits.slice();
  if (repetitionPenalty !== 1) {
    for (const id of new Set(text))
      out[id] = logits[id]! > 0 ? logits[id]! / repetitionPenalty : logits[id]! * repetitionPenalty;
  }
  for (const id of never) if (id < out.length) out[id] = -Infinity;
  return out;
}

/**
 * The next token of one row of logits.
 *
 *     p = softmax(logits / temperature), cut to the k likeliest, then to the likeliest of share topP, and scaled to 1
 *
 * Ties go to the smaller id. NaN is no candidate.
 *
 * @param text what came before, for `repetitionPenalty`
 */
export function chooseToken(
  given: Float32Array,
  options: SamplingOptions,
  random: RandomStream,
  text: readonly number[] = [],
): number {
  const { temperature = 0, topK = given.length, topP = 1 } = options;
  const logits = adjusted(given, options, text);
  let best = 0;
  let most = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    if (!(logits[id]! > most)) continue;
    best = id;
    most = logits[id]!;
  }
  if (temperature === 0) return best;
  const order = Array.from(logits.keys()).filter((id) => logits[id]! > -Infinity);
  if (topK < order.length || topP < 1) order.sort((a, b) => logits[b]! - logits[a]! || a - b);
  const kept = order.slice(0, topK);
  const shares = kept.map((id) => Math.exp((logits[id]! - most) / temperature));
  let total = shares.reduce((sum, share) => sum + share, 0);
  if (topP < 1) {
    let sum = 0;
    let count = 0;
    while (count < kept.length && sum < topP * total) sum += shares[count++]!;
    kept.length = count;
    total = sum;
  }
  let left = random.uniform() * total;
  for (const [n, id] of kept.entries()) {
    left -= shares[n]!;
    if (left < 0) return id;
  }
  return kept.at(-1) ?? best;
}
