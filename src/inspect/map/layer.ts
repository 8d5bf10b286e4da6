import { MASKED, NOT_FINITE, VALUE } from "../cells.ts";
import { visibleKeys } from "../mask.ts";
import { fault } from "../trace/fault.ts";
import type { TraceTensor } from "../trace/tensor.ts";
import type { TraceLayer } from "../trace/trace.ts";
import { hiddenBy } from "./hidden.ts";
import { AttentionMap, type MapComputer } from "./map.ts";
import { qkMap } from "./qk.ts";

/**
 * The map of a trace's layer: its stored weights, or those of q, k and lse where the stored ones are absent or only
 * bytes.
 *
 * @param from the one that is rather taken where the layer has both
 * @param computer does the work of `"qk"` where it can
 * @throws DataError FORMAT for what is no layer, such as the whole trace
 * @example
 * const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] });
 * layerMap(trace.layers[0]).row(0, 0).values; // Float32Array [0.25, 0.75]
 */
export function layerMap(layer: TraceLayer, from?: "attn" | "qk", computer?: MapComputer): AttentionMap {
  if (!(layer?.attn || layer?.q))
    fault(
      "layerMap",
      "layer",
      "have its weights, or q, k and lse to recompute them",
      "none",
      "pass trace.layers[0]",
    );
  const { attn, q, k, lse } = layer;
  const recomputed = q !== undefined && k !== undefined && lse !== undefined;
  const rather = from ?? (attn?.encoding === "u8log" ? "qk" : "attn");
  return attn && !(recomputed && rather === "qk") ? storedMap(layer, attn) : qkMap(layer, computer);
}

function storedMap(layer: TraceLayer, attn: TraceTensor): AttentionMap {
  const { H, T, S, rowSums, maskSpec } = layer;
  const isHidden = hiddenBy(layer);
  const isByte = attn.encoding === "u8log";
  return new AttentionMap(
    { H, T, S, source: "dense", rowSums, maskSpec },
    {
      range: (_, t) => visibleKeys(maskSpec, t, S),
      visible(h, t, from, to) {
        const row = (h * T + t) * S;
        return isHidden || isByte ? undefined : attn.slice(row + from, row + to);
      },
      read(h, t, from, to, { values, kinds }, at) {
        const row = (h * T + t) * S;
        const weights = attn.slice(row + from, row + to);
        for (let s = from, e = at; s < to; s++, e++) {
          const weight = weights[s - from]!;
          const masked = isHidden?.(h, t, s) || (isByte && attn.isMasked(row + s));
          // x − x is 0 for finite numbers alone.
          const kind = masked ? MASKED : weight - weight === 0 ? VALUE : NOT_FINITE;
          kinds[e] = kind;
          values[e] = kind === VALUE ? weight : 0;
        }
      },
    },
  );
}
