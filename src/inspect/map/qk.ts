import { MASKED, NOT_FINITE, VALUE } from "../cells.ts";
import { visibleKeys } from "../mask.ts";
import type { TraceTensor } from "../trace/tensor.ts";
import type { TraceLayer } from "../trace/trace.ts";
import { hiddenBy } from "./hidden.ts";
import { AttentionMap, type MapComputer } from "./map.ts";

/**
 * A map that is recomputed from queries, keys and each row's log-sum-exp.
 *
 *     weight = exp(softCap·tanh(scale·q·k / softCap) + bias − lse)
 *
 * Sums run in float64. Cost: O(D) for each weight that is asked for and visible; memory: the keys of one head.
 */
export function qkMap(layer: TraceLayer, computer?: MapComputer): AttentionMap {
  const { H, Hkv, T, S, softCap, bias, rowSums, maskSpec } = layer;
  const D = layer.D!;
  const { scale = 1 / Math.sqrt(D) } = layer;
  const isHidden = hiddenBy(layer);
  const queries = oneBlock(layer.q!, D);
  const keys = oneBlock(layer.k!, S * D);
  const added = bias && biasRow(bias, S);
  return new AttentionMap(
    { H, T, S, source: "qk", rowSums, maskSpec },
    {
      range: (_, t) => visibleKeys(maskSpec, t, S),
      read(h, t, from, to, { values, kinds }, at) {
        const q = new Float64Array(queries(h * T + t));
        const k = keys(Math.floor((h * Hkv) / H));
        const b = added?.(h, t);
        const lse = layer.lse!.at(h * T + t);
        for (let s = from, e = at; s < to; s++, e++) {
          values[e] = 0;
          if (isHidden?.(h, t, s) || b?.[s] === -Infinity) {
            kinds[e] = MASKED;
            continue;
          }
          let score = scale * dot(q, k, s * D);
          if (softCap !== undefined) score = softCap * Math.tanh(score / softCap);
          if (b) score += b[s]!;
          const weight = lse === -Infinity ? 0 : Math.exp(score - lse);
          const finite = Math.fround(weight) < Infinity;
          kinds[e] = finite ? VALUE : NOT_FINITE;
          if (finite) values[e] = weight;
        }
      },
    },
    computer,
  );
}

/** q·k, where k begins at `at`; four sums side by side, as each addition has to wait for the one before it. */
export function dot(q: Float64Array, k: Float32Array, at: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let e = 0;
  let d = 0;
  let i = at;
  for (; d + 3 < q.length; d += 4, i += 4) {
    a += q[d]! * k[i]!;
    b += q[d + 1]! * k[i + 1]!;
    c += q[d + 2]! * k[i + 2]!;
    e += q[d + 3]! * k[i + 3]!;
  }
  for (; d < q.length; d++, i++) a += q[d]! * k[i]!;
  return a + b + (c + e);
}

/** Reads blocks of so many numbers; the last one read is kept, as the next weight asked for is likely to need it. */
function oneBlock(tensor: TraceTensor, length: number): (block: number) => Float32Array {
  let last = -1;
  let values = new Float32Array();
  return (block) => {
    if (block !== last)
      values = tensor.slice(block * length, (block + 1) * length) as Float32Array<ArrayBuffer>;
    last = block;
    return values;
  };
}

function biasRow(bias: TraceTensor, S: number): (h: number, t: number) => Float32Array {
  const [heads, queries] = bias.shape as [number, number];
  const rows = oneBlock(bias, S);
  return (h, t) => rows((heads === 1 ? 0 : h) * queries + (queries === 1 ? 0 : t));
}
