import { MASKED } from "../cells.ts";
import { layerMap } from "../map/layer.ts";
import { fault } from "../trace/fault.ts";
import { TraceTensor } from "../trace/tensor.ts";
import type { Trace, TraceLayer } from "../trace/trace.ts";

/**
 * Replaces rows of scores by their softmax over the keys that are visible; what is not finite stays so, but for −∞, which
 * hides a key.
 *
 * @param visible 0 where a key is hidden; all are visible where it is left out
 */
export function softmaxRows(scores: Float32Array, S: number, visible?: ArrayLike<number>): void {
  for (let row = 0; row < scores.length; row += S) {
    let most = -Infinity;
    for (let e = row; e < row + S; e++) if (!visible || visible[e]) most = Math.max(most, scores[e]!);
    let sum = 0;
    for (let e = row; e < row + S; e++) {
      const isHidden = (visible && !visible[e]) || most === -Infinity;
      scores[e] = isHidden ? 0 : Math.exp(scores[e]! - most);
      sum += scores[e]!;
    }
    if (sum !== 0) for (let e = row; e < row + S; e++) scores[e]! /= sum;
  }
}

/**
 * A trace whose stored weights were scores before the softmax, with the weights in their place. Layers that are kept as
 * q, k and lse stay as they are.
 *
 *     weights = softmax(attn) over the keys that mask and maskSpec leave visible; 0 where there are none
 *
 * Cost: O(H·T·S) for each layer, and as many numbers in float32.
 *
 * @throws DataError FORMAT for weights in bytes, which hold no scores
 * @example
 * const attn = traceTensor([1, 1, 2], [0, Math.log(3)]);
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * const layers = [{ alignQ: "tgt", alignK: "src", attn, rowSums: "free" }];
 * softmaxWeights(createTrace({ tokens, layers })).layers[0].attn.slice(); // Float32Array [0.25, 0.75]
 */
export function softmaxWeights(trace: Trace): Trace {
  return { ...trace, layers: trace.layers.map(withSoftmax) };
}

function withSoftmax(layer: TraceLayer): TraceLayer {
  const { attn, H, T, S, index } = layer;
  if (!attn) return layer;
  if (attn.encoding === "u8log" || attn.encoding === "bool") {
    const remedy = "leave softmax out, these are weights";
    fault("softmaxWeights", `attn.${index}`, "hold scores, f32, f16 or f64", attn.encoding, remedy);
  }
  const weights = Float32Array.from(attn.slice());
  const map = layerMap(layer, "attn");
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const begin = (h * T + t) * S;
      const visible = map.row(h, t).kinds.map((kind) => Number(kind !== MASKED));
      softmaxRows(weights.subarray(begin, begin + S), S, visible);
    }
  const { thumb: _, ...rest } = layer;
  return { ...rest, attn: new TraceTensor([H, T, S], "f32", weights), rowSums: "one" };
}
