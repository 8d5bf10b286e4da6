import {
  add,
  expandDims,
  type GradConfig,
  matMul,
  type NamedAttrMap,
  reshape,
  squeeze,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tanh,
} from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import { checkTensors } from "../check.ts";
import {
  byNumber,
  ensureGradient,
  float,
  isFused,
  noSecondOrder,
  runKernels,
  runKernelsOn,
} from "../registry.ts";
import { composed, withoutHead } from "./composed.ts";
import { detached, ofNothing, onceDifferentiable } from "./guard.ts";
import { type AttentionCall, attentionCalls, type CallChange, notifyOfCall } from "./observe.ts";

const KERNEL = "HeedAdditiveAttention";

export interface AdditiveTensors {
  /** [B, T, A] */
  readonly query: Tensor3D;
  /** [B, S, A] */
  readonly key: Tensor3D;
  /** [A] */
  readonly v: Tensor1D;
  /** [B, S, Dv] */
  readonly value: Tensor3D;
}

export interface AdditiveWants {
  readonly weights?: boolean | undefined;
  readonly lse?: boolean | undefined;
  /** Promise that all inputs are finite even in hidden places; the fused kernel has no use for it. */
  readonly finite?: boolean | undefined;
}

export interface AdditiveTensorResult {
  readonly output: Tensor3D;
  readonly lse?: Tensor2D;
  readonly weights?: Tensor3D;
}

/** The kernel's inputs, which are an array: a gradient may save all of an array, and names only if all are there. */
const NAMES = ["query", "key", "v", "value"] as const;

const gradient: GradConfig = {
  kernelName: KERNEL,
  saveAllInputs: true,
  outputsToSave: [false, true, false],
  gradFunc: (dy, saved, attrs) => {
    const [dout, dlse, dweights] = dy as Tensor[];
    const { masks } = attrs as unknown as { masks: readonly string[] };
    const names = [...NAMES, ...masks, "lse"];
    const inputs = Object.fromEntries(names.map((name, n) => [name, saved[n]!]));
    const cotangents = { dout: dout!, dlse: dlse!, ...(dweights && { dweights }) };
    return byNumber(runKernels(`${KERNEL}Grad`, { ...inputs, ...cotangents }, attrs as NamedAttrMap));
  },
};

/** A call as an observer is shown it. */
interface AdditiveCall extends AttentionCall {
  readonly lse: () => Tensor;
}

function fused(
  program: AttentionProgram<Tensor>,
  tensors: AdditiveTensors,
  wants: AdditiveWants,
): AdditiveCall {
  ensureGradient(gradient);
  noSecondOrder(`${KERNEL}Grad`, "additiveAttention");
  const { bias, allow } = program;
  const masks = { ...(bias && { bias: bias.array }), ...(allow && { allow: detached(allow.array) }) };
  const inputs = [...NAMES.map((name) => float(tensors[name])), ...Object.values(masks)];
  const attrs = {
    program,
    masks: Object.keys(masks),
    weights: Boolean(wants.weights || attentionCalls.observer),
  };
  const [output, logSum, shares] = runKernelsOn(KERNEL, inputs, attrs);
  return {
    program,
    output: output!,
    lse: () => logSum!,
    weights: () => shares!,
    values: tensors.value,
    again: (change) => fused(change.program ?? program, withValues(tensors, change), wants),
  };
}

const withValues = (tensors: AdditiveTensors, { values }: CallChange): AdditiveTensors =>
  values ? { ...tensors, value: values as Tensor3D } : tensors;

function unfused(
  program: AttentionProgram<Tensor>,
  tensors: AdditiveTensors,
  wants: AdditiveWants,
): AdditiveCall {
  const once = <X extends Tensor>(x: X) => onceDifferentiable(program.op, x);
  const [query, key, v, value] = [
    once(tensors.query),
    once(tensors.key),
    once(tensors.v),
    once(tensors.value),
  ];
  const bias = program.bias && { ...program.bias, array: once(program.bias.array) };
  const all = composed(
    { ...program, bias },
    {
      score: (clean) => expandDims(hiddenScore(clean(query), clean(key), v), 1),
      inputs: [tensors.query, tensors.key],
      values: expandDims(value, 1),
      original: tensors.value,
      finite: wants.finite,
    },
  );
  const shares = withoutHead<Tensor3D>(all.weights);
  return {
    program,
    output: withoutHead<Tensor3D>(all.output),
    lse: () => squeeze(all.lse(), [1]),
    weights: () => shares,
    values: tensors.value,
    again: (change) => unfused(change.program ?? program, withValues(tensors, change), wants),
  };
}

/** v·tanh(query + key) of every pair: query [B, T, A], key [B, S, A], v [A] → [B, T, S]. */
export function hiddenScore(query: Tensor3D, key: Tensor3D, v: Tensor1D): Tensor3D {
  const [B, T, A] = query.shape;
  const S = key.shape[1];
  if (B * T * S === 0) return ofNothing([query, key, v], [B, T, S]) as Tensor3D;
  const hidden = tanh(add(reshape(query, [B, T, 1, A]), reshape(key, [B, 1, S, A])));
  return reshape(matMul(reshape(hidden, [B * T * S, A]), reshape(v, [A, 1])), [B, T, S]);
}

/**
 * Additive attention of a compiled program, whose own scale is not used.
 *
 * @throws ShapeError SHAPE
 */
export function runAdditiveProgram(
  program: AttentionProgram<Tensor>,
  tensors: AdditiveTensors,
  wants: AdditiveWants,
): AdditiveTensorResult {
  const { query, key, v, value } = tensors;
  const { B, T, S, Dv } = program.shapes;
  const A = query.shape[2];
  checkTensors(program.op, [
    { name: "query", tensor: query, letters: "[B, T, A]", shape: [B, T, A], dtype: query.dtype },
    { name: "key", tensor: key, letters: "[B, S, A]", shape: [B, S, A], dtype: key.dtype },
    { name: "v", tensor: v, letters: "[A]", shape: [A], dtype: v.dtype },
    { name: "value", tensor: value, letters: "[B, S, Dv]", shape: [B, S, Dv], dtype: value.dtype },
  ]);
  const call = (isFused(KERNEL) ? fused : unfused)(program, tensors, wants);
  return {
    output: notifyOfCall(call) as Tensor3D,
    ...(wants.lse && { lse: call.lse() as Tensor2D }),
    ...(wants.weights && { weights: call.weights() as Tensor3D }),
  };
}
