import { broadcastTo, matMul, mul, reshape, type Tensor, transpose } from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../../kernels/layout.ts";
import { allowTensor } from "./allow.ts";
import type { AttentionStages, AttentionTensors } from "./fused.ts";
import { addConstant, cleaned, isKnownFinite, noProduct, strayValues, visibleKeys } from "./guard.ts";
import { onceDifferentiable } from "./once.ts";
import { weigh } from "./weigh.ts";

/** Heads first, or back. */
function swapped(x: Tensor, layout: Layout): Tensor {
  return layout === "bthd" ? transpose(x, [0, 2, 1, 3]) : x;
}

/** Attention of a compiled program, of TensorFlow.js ops. `finite` promises finite numbers even in hidden places. */
export function composedSoftAttention(
  given: AttentionProgram<Tensor>,
  layout: Layout,
  tensors: AttentionTensors,
  finite: boolean | undefined,
): AttentionStages {
  const { B, H, Hkv, T, S, Dv } = given.shapes;
  const once = (x: Tensor) => onceDifferentiable(given.op, x);
  const program = {
    ...given,
    bias: given.bias && { ...given.bias, array: once(given.bias.array) },
    sink: typeof given.sink === "object" ? once(given.sink) : given.sink,
  };
  const headsFirst = (x: Tensor) => swapped(once(x), layout);
  const [q, k, v] = [headsFirst(tensors.q), headsFirst(tensors.k), headsFirst(tensors.v)];
  const bias = program.bias?.array;
  const allow = allowTensor(program);
  const seen = finite || T * S === 0 ? undefined : visibleKeys(allow, bias);
  const dirtyScores = seen && ![tensors.q, tensors.k].every(isKnownFinite);
  const dirtyValues = seen && !isKnownFinite(tensors.v);
  // The query heads that share a key head stand below each other as rows of one product.
  const rowsOf = (x: Tensor) => reshape(x, [B, Hkv, (H / Hkv) * T, x.shape[3]!]);
  const isEmpty = T * S === 0;
  const multiply = (query: Tensor, key: Tensor) =>
    isEmpty
      ? noProduct([query, key], [B, H, T, S])
      : reshape(matMul(rowsOf(mul(query, program.scale)), key, false, true), [B, H, T, S]);
  const { weights, dropped, lse } = weigh(
    program,
    dirtyScores ? multiply(cleaned(q), cleaned(k)) : multiply(q, k),
    {
      allow: dirtyScores ? seen : allow,
      bias,
      raw: dirtyScores ? multiply(q, k) : undefined,
    },
  );
  const rows = rowsOf(dropped);
  let output = isEmpty ? noProduct([rows, v], [B, H, T, Dv]) : matMul(rows, dirtyValues ? cleaned(v) : v);
  if (dirtyValues) {
    output = addConstant(output, strayValues(rows, rowsOf(broadcastTo(seen, [B, H, T, S])), v));
  }
  return {
    output: swapped(reshape(output, [B, H, T, Dv]), layout),
    lse,
    weights: () => weights,
  };
}
