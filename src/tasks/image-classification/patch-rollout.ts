import { layerMap, rollout, type Trace } from "../../inspect/index.ts";

/**
 * Which patches the class token's answer came from, through layers 0 to `layers` − 1: its row of the attention rollout
 * without itself, as shares that sum to 1.
 *
 * @param trace of one image, as `ImageClassifier.look` gives it
 * @param layers how many of them @default all
 * @returns [rows · columns of patches]
 */
export function patchRollout({ layers, grid }: Trace, count = layers.length): Float64Array {
  const { weights, map } = rollout(layers.slice(0, count).map((layer) => layerMap(layer)));
  const shares = weights.slice(grid?.cls ?? 1, map.S);
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}
