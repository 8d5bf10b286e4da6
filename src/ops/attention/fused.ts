import { type GradConfig, getBackend, type Tensor, zeros } from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { learnedTensors } from "../../core/expression/modification.ts";
import { noSecondGradient } from "../../core/faults.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { ensureCpuAttention } from "../../host/cpu-attention.ts";
import { type AttentionAttributes, CAPTURED } from "../../host/ops/attention.ts";
import type { Layout } from "../../kernels/layout.ts";
import { byNumber, ensureGradient, float, isFused, runKernelsOn } from "../registry.ts";
import { detached } from "./guard.ts";
import { type WeightsTensors, weightsGradients } from "./weights-gradients.ts";

const KERNEL = "HeedAttention";

/** q, k and v in the order of a layout, whatever their rank. */
export interface AttentionTensors {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

/** What attention gives, each with its gradients; what is not asked for is not made. */
export interface AttentionStages {
  output: Tensor;
  readonly lse: () => Tensor;
  readonly weights: () => Tensor;
}

/** Runs a kernel on a list of inputs and tells it their names. */
function runNamed(
  kernel: string,
  inputs: Record<string, Tensor>,
  attributes: Omit<AttentionAttributes, "names">,
): Tensor[] {
  return runKernelsOn(kernel, Object.values(inputs), { ...attributes, names: Object.keys(inputs) });
}

function byNames(names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name, n) => [name, tensors[n]!]));
}

const gradient: GradConfig = {
  kernelName: KERNEL,
  saveAllInputs: true,
  outputsToSave: [true, true, true, true],
  gradFunc: (dy, saved, attrs) => {
    const attributes = attrs as unknown as AttentionAttributes;
    const { names, program } = attributes;
    const [dout, dlse] = dy as Tensor[];
    const outputs = ["output", "lse", "lseLow", ...(program.onEmptyRow === "uniform" ? ["empty"] : [])];
    const inputs = { ...byNames([...names, ...outputs], saved), dout: dout!, dlse: dlse! };
    const gradients = runNamed(`${KERNEL}Grad`, inputs, attributes);
    const learned = learnedTensors(program.modification).map((name) => CAPTURED + name);
    const given = ["q", "k", "v", "bias", "sink", ...learned].filter((name) => names.includes(name));
    const byName = byNames(given, gradients);
    // No gradient reaches `allow`, which is bool and off the tape.
    return byNumber(names.map((name) => byName[name]!));
  },
};

const weightsGradient: GradConfig = {
  kernelName: `${KERNEL}Weights`,
  saveAllInputs: true,
  outputsToSave: [true],
  gradFunc: (dweights, saved, attrs) => {
    const attributes = attrs as unknown as AttentionAttributes;
    const tensors = byNames([...attributes.names, "weights"], saved);
    const read = tensors as unknown as WeightsTensors;
    const captured = Object.entries(attributes.program.modification?.tensors ?? {});
    const own = captured.map(([name]) => [name, tensors[CAPTURED + name]!] as const);
    const given = { ...read, tensors: Object.fromEntries(own) };
    const { tensors: learned, ...others } = weightsGradients(attributes, given, dweights as Tensor);
    const named = Object.entries(learned ?? {}).map(([name, x]) => [CAPTURED + name, x] as const);
    const gradients: Record<string, Tensor | undefined> = { ...others, ...Object.fromEntries(named) };
    // The sink acts through lse; flags have no gradient, but stand on the tape as lse does.
    const made = (name: string) => gradients[name] ?? zeros(tensors[name]!.shape);
    return Object.fromEntries(attributes.names.map((name, n) => [String(n), () => made(name)]));
  },
};

/** Gradients of gradients would need kernels of their own. */
const secondGradient: GradConfig = {
  kernelName: `${KERNEL}Grad`,
  gradFunc: (_dy, _saved, attrs) => {
    throw new OptionError(
      "GRADIENT",
      noSecondGradient({ op: (attrs as unknown as AttentionAttributes).program.op }),
    );
  },
};

/** Whether the current backend has kernels for attention. */
export function hasAttentionKernels(): boolean {
  if (getBackend() === "cpu") ensureCpuAttention();
  return isFused(KERNEL);
}

/** Whether those kernels run in blocks, and store no array of T × S; the plain loops of `cpu` do. */
export function hasBlockedKernels(): boolean {
  return getBackend() !== "cpu" && isFused(KERNEL);
}

/** The tensors that functions of scores read; those without a gradient are off the tape. */
function capturedInputs({ modification }: AttentionProgram<Tensor>): Record<string, Tensor> {
  const learned = learnedTensors(modification);
  const inputs = Object.entries(modification?.tensors ?? {}).map(([name, tensor]) => [
    CAPTURED + name,
    learned.includes(name) ? float(tensor) : detached(tensor),
  ]);
  return Object.fromEntries(inputs);
}

/** Attention of a compiled program on a backend that has the kernels. `shapes` are those of what comes back. */
export function fusedAttention(
  program: AttentionProgram<Tensor>,
  layout: Layout,
  { q, k, v }: AttentionTensors,
  shapes: AttentionAttributes["shapes"],
): AttentionStages {
  for (const config of [gradient, weightsGradient, secondGradient]) ensureGradient(config);
  const { bias, allow, sink } = program;
  const options = {
    ...(bias && { bias: float(bias.array) }),
    // A mask may be made of what is differentiated, and no gradient goes through one.
    ...(allow && { allow: detached(allow.array) }),
    ...(typeof sink === "object" && { sink: float(sink) }),
    ...capturedInputs(program),
  };
  const inputs = { q: float(q), k: float(k), v: float(v), ...options };
  const attributes = { program, layout, shapes };
  const [output, lse, lseLow, empty] = runNamed(KERNEL, inputs, attributes);
  return {
    output: output!,
    lse: () => lse!,
    weights: () => {
      const { v: _, ...read } = inputs;
      const given = { ...read, lse: lse!, lseLow: lseLow!, ...(empty && { empty }) };
      return runNamed(`${KERNEL}Weights`, given, attributes)[0]!;
    },
  };
}
