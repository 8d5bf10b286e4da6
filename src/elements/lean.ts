import type { TraceTensor } from "../inspect/trace/tensor.ts";
import type { Trace, TraceLayer } from "../inspect/trace/trace.ts";

/**
 * A trace with no more than the elements show: each layer's weights once, as q, k and lse or as the map, whichever takes
 * fewer bytes; no scores, gradients, norms, gates or glimpses. The maps are the same, but for the rounding of float32 where
 * a map gives way to its q, k and lse.
 */
export function leanTrace(trace: Trace): Trace {
  return { ...trace, layers: trace.layers.map(leanLayer), glimpses: [], gates: {} };
}

function leanLayer(layer: TraceLayer): TraceLayer {
  const { q, k, lse, attn, grad: _grad, vnorm: _vnorm, ...rest } = layer;
  const shown = { ...rest, scores: {} };
  if (!attn) return { ...shown, q, k, lse };
  return isBetterRecomputed(layer) ? { ...shown, q, k, lse } : { ...shown, attn };
}

function isBetterRecomputed({ q, k, lse, attn, rowSums }: TraceLayer): boolean {
  if (!q || !k || !lse || !attn) return false;
  // A map of bytes is not what is drawn where there are q, k and lse.
  if (attn.encoding === "u8log") return true;
  // Weights after dropout, or of another kind than softmax, are not those of q, k and lse.
  if (rowSums === "dropped" || rowSums === "free") return false;
  return bytes(q) + bytes(k) + bytes(lse) < bytes(attn);
}

const bytes = ({ data }: TraceTensor): number => data.byteLength;
