import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { additiveBytes, runAdditive, runAdditiveGradients } from "../../kernels/wasm/additive-kernels.ts";
import type { AdditiveArrays } from "../../kernels/wasm/additive-problem.ts";
import type { Heap } from "../heap.ts";
import type { HeedKernel } from "../register.ts";

const OP = "additiveAttention";

/** What the op hands over besides tensors: `masks` names those of bias and allow that are there. */
interface Attributes {
  program: AttentionProgram<ArrayInfo>;
  masks: string[];
  weights: boolean;
}

function addresses(heap: Heap, tensors: Record<string, TensorInfo>): AdditiveArrays {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, heap.address(tensor)]));
}

/** Output, lse and, where asked for, weights (assembly/additive/forward.ts). The inputs are an array. */
export const additiveAttention: HeedKernel = ({ inputs, attrs, heap }) => {
  const { program, masks, weights } = attrs as unknown as Attributes;
  const names = ["query", "key", "v", "value", ...masks];
  const given = Object.fromEntries(Object.values(inputs).map((tensor, n) => [names[n]!, tensor]));
  const { B, T, S, Dv } = program.shapes;
  const made = {
    out: heap.output(OP, [B, T, Dv]),
    lse: heap.output(OP, [B, T]),
    ...(weights && { weights: heap.output(OP, [B, T, S]) }),
  };
  const call = { program, A: given.v!.shape[0]! };
  const at = addresses(heap, { ...given, ...made });
  const scratch = heap.scratch(OP, additiveBytes(heap.kernels, call, false));
  runAdditive(heap.kernels, heap.memory.buffer, { ...call, scratch }, at);
  return Object.values(made);
};

/** Its gradients dquery, dkey, dv, dvalue and, where there is a bias, dbias (assembly/additive/backward.ts). */
export const additiveAttentionGrad: HeedKernel = ({ inputs, attrs, heap }) => {
  const op = `${OP} gradient`;
  const { program } = attrs as unknown as Attributes;
  const { query, key, v, value, bias } = inputs;
  const made = {
    dquery: heap.output(op, query!.shape),
    dkey: heap.output(op, key!.shape),
    dv: heap.output(op, v!.shape),
    dvalue: heap.output(op, value!.shape),
    ...(bias && { dbias: heap.output(op, bias.shape) }),
  };
  const call = { program, A: v!.shape[0]! };
  const at = addresses(heap, { ...inputs, ...made });
  const scratch = heap.scratch(op, additiveBytes(heap.kernels, call, true));
  for (const sum of [made.dv, made.dbias]) if (sum) heap.view(sum).fill(0);
  runAdditiveGradients(heap.kernels, heap.memory.buffer, { ...call, scratch }, at);
  return Object.values(made);
};
