/** Attention programs on the device: the passes of kernels/webgpu over TensorFlow.js' tensors, where they are. */
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { HeedError, OptionError } from "../../../core/errors.ts";
import { learnedTensors } from "../../../core/expression/modification.ts";
import { emptyRow } from "../../../core/faults.ts";
import { keyRange } from "../../../core/program-rows.ts";
import { backwardPasses } from "../../../kernels/webgpu/backward.ts";
import { capturedPasses } from "../../../kernels/webgpu/captured.ts";
import { forwardPasses, type PassOptions } from "../../../kernels/webgpu/forward.ts";
import { weightsPasses } from "../../../kernels/webgpu/weights.ts";
import { type AttentionAttributes, CAPTURED, namedInputs } from "../../ops/attention.ts";
import type { KernelInputs } from "../../register.ts";
import type { Gpu } from "../gpu.ts";
import type { GpuKernel } from "../register.ts";
import { perElement } from "../shader.ts";

type Three = [TensorInfo, TensorInfo, TensorInfo];

const optionsOf = ({ device: { limits, features } }: Gpu): PassOptions => ({
  limits,
  subgroups: features.has("subgroups"),
});

/**
 * Rows without a key where they are to be an error: known from lengths and band alone, since what a tensor hides would have
 * to be waited for.
 *
 * @throws OptionError EMPTY_ROW, HeedError UNSUPPORTED
 */
function checkRows({ program }: AttentionAttributes): void {
  const { op, shapes, queryLengths, onEmptyRow } = program;
  if (onEmptyRow !== "error") return;
  for (let b = 0; b < shapes.B; b++) {
    for (let i = 0; i < (queryLengths?.[b] ?? shapes.T); i++) {
      const [start, end] = keyRange(program, b, i);
      if (start >= end) throw new OptionError("EMPTY_ROW", emptyRow({ op, b, h: 0, i }));
    }
  }
  if (!program.allow && !program.bias && !program.modification) return;
  throw new HeedError("UNSUPPORTED", {
    op,
    rule: 'onEmptyRow must be "zero" or "uniform" on webgpu, where what allow, bias and functions hide must be waited for',
    got: '"error"',
    remedy: 'choose one of them, or compute on the backend "heed"',
  });
}

/** Numbers that `expression` makes of those of `x`, from number `first` on. */
function derived(
  gpu: Gpu,
  x: TensorInfo,
  shape: number[],
  {
    label,
    first,
    expression,
    type,
  }: { label: string; first: number; expression: string; type: "f32" | "i32" },
): TensorInfo {
  const out = gpu.output(shape, type === "f32" ? "float32" : "bool");
  const pass = perElement(
    {
      label,
      buffers: { x: "f32", out: type },
      writes: ["out"],
      uniforms: { n: ["u32", util.sizeFromShape(shape)], first: ["u32", first] },
    },
    `  let value = x[u.first + i];\n  out[i] = ${expression};`,
  );
  gpu.run([pass], { x, out });
  return out;
}

/** The arrays of the program's options, by the names of their buffers; `tensors` is the caller's to dispose. */
const optionArrays = ({ bias, allow, sink }: KernelInputs, tensors: TensorInfo | undefined) => ({
  ...(tensors && { tensors }),
  ...(bias && { bias }),
  ...(allow && { allow }),
  ...(sink && { sink }),
});

/** What functions of scores read, one after another in one buffer. */
function captured(gpu: Gpu, { program }: AttentionAttributes, tensors: KernelInputs): TensorInfo | undefined {
  const { modification } = program;
  if (!modification || Object.keys(modification.tensors).length === 0) return undefined;
  const { passes, count } = capturedPasses(modification);
  const out = gpu.output([count]);
  const given = Object.keys(modification.tensors).map(
    (name, n) => [`captured${n}`, tensors[CAPTURED + name]!] as const,
  );
  gpu.run(passes, { ...Object.fromEntries(given), tensors: out });
  return out;
}

/**
 * Output and lse in two parts; where rows without a key have weights, flags of those rows too. The second part holds
 * both, as the passes keep them: lse, then what rounding took from it, which is +∞ for a row without a key.
 */
export const attention: GpuKernel = ({ inputs, attrs, gpu }) => {
  const attributes = attrs as unknown as AttentionAttributes;
  checkRows(attributes);
  const { program, layout, shapes } = attributes;
  const tensors = namedInputs(inputs, attributes);
  const { q, k, v } = tensors;
  const [out, both] = [gpu.output(shapes.output), gpu.output([2, ...shapes.lse])];
  const rows = util.sizeFromShape(shapes.lse);
  const read = captured(gpu, attributes, tensors);
  const plan = forwardPasses(program, layout, optionsOf(gpu));
  gpu.runPlan(plan, { q: q!, k: k!, v: v!, ...optionArrays(tensors, read), out, lse: both });
  if (read) gpu.dispose(read);
  const lse = derived(gpu, both, shapes.lse, {
    label: "attention, lse",
    first: 0,
    expression: "value",
    type: "f32",
  });
  if (program.onEmptyRow !== "uniform") return [out, lse, both];
  const empty = derived(gpu, both, shapes.lse, {
    label: "attention, rows without a key",
    first: rows,
    expression: "select(0, 1, bitcast<u32>(value) == 0x7f800000u)",
    type: "i32",
  });
  return [out, lse, both, empty];
};

/** The gradients of q, k, v, of bias and sink where they are tensors, and of what functions of scores learn. */
export const attentionGrad: GpuKernel = ({ inputs, attrs, gpu }) => {
  const attributes = attrs as unknown as AttentionAttributes;
  const { program, layout } = attributes;
  const tensors = namedInputs(inputs, attributes);
  const { q, k, v, bias, sink, output, lseLow, dout, dlse } = tensors;
  const [dq, dk, dv] = [q, k, v].map((tensor) => gpu.output(tensor!.shape)) as Three;
  const dbias = bias && gpu.output(bias.shape);
  // A sink that is a number has a gradient too, which nobody asked for.
  const dsink = program.sink === undefined ? undefined : gpu.output(sink?.shape ?? [1]);
  const learned = learnedTensors(program.modification).map((name) =>
    gpu.output(tensors[CAPTURED + name]!.shape),
  );
  const read = captured(gpu, attributes, tensors);
  const plan = backwardPasses(program, layout, { ...optionsOf(gpu), dlse: true });
  gpu.runPlan(plan, {
    ...{ q: q!, k: k!, v: v!, ...optionArrays(tensors, read) },
    ...{ out: output!, lse: lseLow!, dout: dout!, dlse: dlse! },
    ...{ dq, dk, dv, ...(dbias && { dbias }), ...(dsink && { dsink }) },
    ...Object.fromEntries(learned.map((tensor, n) => [`dtensor${n}`, tensor])),
  });
  if (read) gpu.dispose(read);
  if (dsink && !sink) gpu.dispose(dsink);
  return [dq, dk, dv, ...(dbias ? [dbias] : []), ...(dsink && sink ? [dsink] : []), ...learned];
};

/** The weights [B, H, T, S] again, from q, k and lse. */
export const attentionWeights: GpuKernel = ({ inputs, attrs, gpu }) => {
  const attributes = attrs as unknown as AttentionAttributes;
  const { program, layout, shapes } = attributes;
  const tensors = namedInputs(inputs, attributes);
  const weights = gpu.output(shapes.weights);
  const read = captured(gpu, attributes, tensors);
  const plan = weightsPasses(program, layout, optionsOf(gpu));
  const given = { q: tensors.q!, k: tensors.k!, ...optionArrays(tensors, read) };
  gpu.runPlan(plan, { ...given, lse: tensors.lseLow!, weights });
  if (read) gpu.dispose(read);
  return weights;
};
