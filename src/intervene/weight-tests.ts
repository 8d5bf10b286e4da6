import { abs, clone, mean, mul, sub, sum, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { numbers } from "../capture/example.ts";
import { refusal } from "../capture/refuse.ts";
import { checkCount } from "../core/check-options.ts";
import { RandomStream } from "../core/random.ts";
import { tidyData } from "../ops/tidy.ts";
import { intervene } from "./intervene.ts";
import type { Intervention, Place } from "./intervention.ts";
import { record } from "./recording.ts";
import { layerNotThere } from "./refuse.ts";

/** Which weights are tested: those of one call, of some heads and queries. */
export interface WeightPlace extends Omit<Place, "layer"> {
  readonly layer: number;
  readonly queries?: number | readonly number[];
}

export interface PermutationOptions extends WeightPlace {
  /** @default 100 */
  readonly permutations?: number;
  /** @default 0 */
  readonly seed?: number;
}

export interface PermutationTest {
  /** How far the answer moved with each permutation, from 0 to 1. */
  readonly distances: Float64Array;
  readonly median: number;
}

/**
 * The weight permutation test: does it matter to which keys the weights belong?
 *
 *     distance = ½ Σ_c |y_c − y_c with the weights of every row in random order|, of which the median
 *
 * Symbols: y the distribution that the run returns, over its last axis; the mean over the others.
 * Conventions: weights are permuted among the keys that have any, so that masks hold; each row by itself, the same for the same
 * seed. A median near 0 says that the answer does not depend on where attention looked, and that its weights explain nothing
 * of it. The run must do the same each time. Cost: one run for each permutation; the weights take T·S numbers a head.
 * Paper: Jain & Wallace 2019, § 4.2.1, arxiv.org/abs/1902.10186.
 *
 * @throws what `intervene` throws · OptionError OPTION, UNSUPPORTED
 * @example
 * const run = () => tf.softmax(attention(q, k, v).output);
 * permuteWeights(run, { layer: 0, permutations: 5 }).distances.length; // 5
 */
export function permuteWeights(run: () => Tensor, options: PermutationOptions): PermutationTest {
  const op = "permuteWeights";
  const { permutations = 100, seed = 0, ...place } = options;
  checkCount(op, "permutations", permutations);
  const random = new RandomStream(seed);
  return tidyData(() => {
    const { weights, answer } = recordWeights(op, run, place.layer);
    const patch = patchOf(place);
    const distances = Float64Array.from({ length: permutations }, () =>
      tidyData(() => {
        const shuffled = tensor(permuted(weights, random), weights.shape);
        const runs = { other: { calls: [{ op, weights: shuffled }] } };
        return numbers(totalVariation(answer, intervene(run, [patch], { runs })))[0]!;
      }),
    );
    return { distances, median: medianOf(distances) };
  });
}

/** The intervention that puts the weights of the run "other" in their place. */
export const patchOf = (place: WeightPlace): Intervention => ({
  do: "patch",
  what: "weights",
  from: "other",
  fromLayer: 0,
  ...place,
});

/** The weights [B, H, T, S] of a call, and the distribution that the run returns. */
export function recordWeights(op: string, run: () => Tensor, layer: number) {
  checkCount(op, "layer", layer, 0);
  const { calls, result: answer, ...recording } = record(run, { keep: ["weights"], layers: [layer] });
  const { length } = calls;
  const kept = calls[layer]?.weights;
  // A recording lives until it is disposed of, its copy as long as the work around it.
  const weights = kept && clone(kept);
  recording.dispose();
  if (!weights) throw layerNotThere(op, "layer", length, layer);
  const totals = numbers(sum(answer, -1));
  const got = totals.find((total) => !(Math.abs(total - 1) < 1e-3));
  if (got === undefined) return { weights, answer };
  const remedy = "return the softmax of the scores of the classes";
  throw refusal(op, "the run", "return shares that sum to 1 over the last axis", `a sum of ${got}`, remedy);
}

/** ½ Σ_c |a_c − b_c|, the mean over all rows. */
export const totalVariation = (a: Tensor, b: Tensor): Tensor => mean(mul(0.5, sum(abs(sub(a, b)), -1)));

/** Each row in another order, of the keys that have weight. */
function permuted(weights: Tensor, random: RandomStream): Float32Array {
  const S = weights.shape[3]!;
  const out = numbers(weights).slice();
  for (let row = 0; row < out.length; row += S) {
    const seen = Array.from({ length: S }, (_, s) => row + s).filter((at) => out[at] !== 0);
    const shuffled = random.shuffle(seen.map((at) => out[at]!));
    for (const [n, at] of seen.entries()) out[at] = shuffled[n]!;
  }
  return out;
}

function medianOf(x: Float64Array): number {
  const sorted = x.toSorted();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
