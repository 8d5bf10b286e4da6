import { broadcastTo, matMul, mul, reshape, type Tensor, transpose } from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../../kernels/layout.ts";
import { allowTensor } from "./allow.ts";
import type { AttentionStages, AttentionTensors } from "./fused.ts";
import { addConstant, cleaned, isKnownFinite, noProduct, strayValues, visibleKeys } from "./guard.ts";
import { onceDifferentiable } from "./once.ts";
import { type Normalize, type Weighed, weigh } from "./weigh.ts";

/** What a program with heads leaves open where it is composed. */
export interface HeadsOptions {
  /** Promise that q, k and v are finite even in hidden places. @default false */
  readonly finite?: boolean | undefined;
  /** @default softmax */
  readonly normalize?: Normalize | undefined;
  /** What q, k and v are copies of: whether a tensor is finite is remembered by the tensor. @default themselves */
  readonly originals?: AttentionTensors | undefined;
}

/** Heads first, or back. */
function swapped(x: Tensor, layout: Layout): Tensor {
  return layout === "bthd" ? transpose(x, [0, 2, 1, 3]) : x;
}

/** The query heads that share a key head, below each other as rows of one product. */
function rowsOf(x: Tensor, { B, H, Hkv, T }: AttentionProgram["shapes"]): Tensor {
  return reshape(x, [B, Hkv, (H / Hkv) * T, x.shape[3]!]);
}

/**
 * score → mask → normalise of q [B, H, T, D] and k [B, Hkv, S, D]: everything [B, H, T, S]. `seen` is where a key may
 * be seen at all, undefined where nothing is hidden or nothing hidden can do harm.
 */
export function weighHeads(
  program: AttentionProgram<Tensor>,
  q: Tensor,
  k: Tensor,
  { finite, normalize, originals }: HeadsOptions,
): Weighed & { seen: Tensor | undefined } {
  const { B, H, T, S } = program.shapes;
  const bias = program.bias?.array;
  const allow = allowTensor(program);
  const seen = finite || T * S === 0 ? undefined : visibleKeys(allow, bias);
  const dirty = seen && ![originals?.q ?? q, originals?.k ?? k].every(isKnownFinite);
  const multiply = (query: Tensor, key: Tensor) =>
    T * S === 0
      ? noProduct([query, key], [B, H, T, S])
      : reshape(matMul(rowsOf(mul(query, program.scale), program.shapes), key, false, true), [B, H, T, S]);
  const weighed = weigh(program, dirty ? multiply(cleaned(q), cleaned(k)) : multiply(q, k), {
    ...{ allow: dirty ? seen : allow, bias, normalize },
    raw: dirty ? multiply(q, k) : undefined,
  });
  return { ...weighed, seen };
}

/** Σ_s weights_ts v_s of v [B, Hkv, S, Dv] → [B, H, T, Dv]; NaN among values that are not `seen` leaks nowhere. */
export function aggregateHeads(
  { shapes }: AttentionProgram,
  weights: Tensor,
  v: Tensor,
  seen: Tensor | undefined,
  original = v,
): Tensor {
  const { B, H, T, S, Dv } = shapes;
  const dirty = seen && !isKnownFinite(original);
  const rows = rowsOf(weights, shapes);
  let output = T * S === 0 ? noProduct([rows, v], [B, H, T, Dv]) : matMul(rows, dirty ? cleaned(v) : v);
  if (dirty) {
    output = addConstant(output, strayValues(rows, rowsOf(broadcastTo(seen, [B, H, T, S]), shapes), v));
  }
  return reshape(output, [B, H, T, Dv]);
}

/** Attention of a compiled program, of TensorFlow.js ops. */
export function composedSoftAttention(
  given: AttentionProgram<Tensor>,
  layout: Layout,
  tensors: AttentionTensors,
  options: HeadsOptions,
): AttentionStages {
  const once = (x: Tensor) => onceDifferentiable(given.op, x);
  const program = {
    ...given,
    bias: given.bias && { ...given.bias, array: once(given.bias.array) },
    sink: typeof given.sink === "object" ? once(given.sink) : given.sink,
  };
  const headsFirst = (x: Tensor) => swapped(once(x), layout);
  const [q, k, v] = [headsFirst(tensors.q), headsFirst(tensors.k), headsFirst(tensors.v)];
  const { weights, dropped, lse, seen } = weighHeads(program, q, k, { ...options, originals: tensors });
  return {
    output: swapped(aggregateHeads(program, dropped, v, seen, tensors.v), layout),
    lse,
    weights: () => weights,
  };
}
