import { sqrt, square, sum } from "@tensorflow/tfjs-core";
import { VALUE } from "../inspect/cells.ts";
import { layerMap, type TraceLayer, type TraceTensor, traceTensor } from "../inspect/index.ts";
import type { AttentionCall } from "../ops/attention/observe.ts";
import { headsOf, layoutOf, numbers } from "./example.ts";
import { notFinite } from "./refuse.ts";

/** The length of every value of one example of a call: [Hkv, S]. */
export function valueNorms(call: AttentionCall, example: number): Float32Array {
  const heads = headsOf(call.values, layoutOf(call), example);
  return numbers(sqrt(sum(square(heads), -1))).slice();
}

/**
 * Norms as a trace has them: 0 for keys that no query sees, whatever their values hold.
 *
 * @throws OptionError NOT_FINITE, where a visible key's is not finite
 */
export function checkedNorms(op: string, layer: TraceLayer, norms: Float32Array): TraceTensor {
  const { H, T, S, index, name } = layer;
  const Hkv = norms.length / S;
  const map = layerMap(layer);
  for (const [e, norm] of norms.entries()) {
    if (norm - norm === 0) continue;
    const [group, s] = [Math.floor(e / S), e % S];
    for (let h = (group * H) / Hkv; h < ((group + 1) * H) / Hkv; h++)
      for (let t = 0; t < T; t++) {
        if (map.row(h, t).kinds[s] !== VALUE) continue;
        const place = `vnorm.${index} of ${name}, head ${h}, key ${s},`;
        throw notFinite(op, place, norm, "look for an overflow or NaN in the values");
      }
    norms[e] = 0;
  }
  return traceTensor([Hkv, S], norms);
}
