import * as tf from "@tensorflow/tfjs-core";
import { DataError, OptionError } from "../../core/errors.ts";
import { type Transformer, tokenLoss } from "../../models/transformer/transformer.ts";
import { tidyData } from "../../ops/tidy.ts";

export interface BitsOptions {
  /** T, characters of a window. */
  length: number;
  /** Characters that at least stand before each that is scored, but for the first of the text; below T. @default 0 */
  context?: number;
}

export interface Bits {
  /** Mean −log₂ p of a character. */
  bits: number;
  /** Characters that were scored: all but the first. */
  characters: number;
}

const OP = "bitsPerCharacter";
const BATCH = 16;

/**
 * Bits a character of a text: windows of T overlap by `context`, and each character is scored in one of them.
 *
 * @throws OptionError OPTION · DataError SHAPE where there is no second character
 */
export function bitsPerCharacter(
  model: Transformer,
  text: Int32Array,
  { length: T, context = 0 }: BitsOptions,
): Bits {
  if (!(Number.isSafeInteger(context) && context >= 0 && context < T)) {
    const rule = `context must be an integer from 0 to ${T - 1}`;
    throw new OptionError("OPTION", { op: OP, rule, got: context, remedy: "choose one in that range" });
  }
  if (text.length < 2) {
    const fault = { op: OP, rule: "a text must have a character after its first", got: text.length };
    throw new DataError("SHAPE", { ...fault, remedy: "give a longer one" });
  }
  const windows = windowsOver(text.length - 1, T, context);
  let nats = 0;
  let characters = 0;
  for (let n = 0; n < windows.length; n += BATCH) {
    const some = windows.slice(n, n + BATCH);
    const [ids, labels] = [new Int32Array(some.length * T), new Int32Array(some.length * T).fill(-1)];
    let count = 0;
    for (const [row, { start, scoredFrom }] of some.entries()) {
      for (let t = 0; t < T && start + t < text.length - 1; t++) {
        ids[row * T + t] = text[start + t]!;
        if (start + t < scoredFrom) continue;
        labels[row * T + t] = text[start + t + 1]!;
        count++;
      }
    }
    nats += count * meanLoss(model, ids, labels, some.length);
    characters += count;
  }
  return { bits: nats / characters / Math.LN2, characters };
}

interface ScoredWindow {
  readonly start: number;
  /** Characters before it were scored in an earlier window. */
  readonly scoredFrom: number;
}

/** Windows of at most T of n places, so that each place is scored once. */
function windowsOver(n: number, T: number, context: number): ScoredWindow[] {
  const windows: ScoredWindow[] = [];
  for (let scoredFrom = 0; scoredFrom < n; ) {
    const start = Math.max(0, Math.min(scoredFrom - context, n - T));
    windows.push({ start, scoredFrom });
    scoredFrom = start + T;
  }
  return windows;
}

function meanLoss(model: Transformer, ids: Int32Array, labels: Int32Array, rows: number): number {
  return tidyData(() => {
    const shape: [number, number] = [rows, ids.length / rows];
    const states = model.decode({ tokens: tf.tensor2d(ids, shape, "int32") });
    return tokenLoss(model.logits(states), tf.tensor2d(labels, shape, "int32")).dataSync()[0]!;
  });
}
