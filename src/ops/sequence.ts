/** What `gruSequence` and `lstmSequence` share: the order of the steps, and one kernel for all of them. */
import {
  cast,
  customGrad,
  type GradSaveFunc,
  ones,
  type Rank,
  squeeze,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  unstack,
} from "@tensorflow/tfjs-core";
import type { Expected } from "./check.ts";
import { noSecondOrder, runKernels } from "./registry.ts";

export interface SequenceOptions {
  /** Starts at the last step and goes back; states still stand at their own steps. @default false */
  reverse?: boolean;
}

/** The kernel of a whole sequence. */
export interface SequenceKernel {
  readonly name: string;
  readonly op: string;
  /** The inputs that its gradient reads. */
  readonly reads: readonly string[];
  /** What its gradient calls the gates that the kernel kept. */
  readonly gates: string;
}

/** The steps of x [T, B, width]. TensorFlow.js' gradient of unstack fails where there is a single one. */
export function unstackSteps(x: Tensor3D): Tensor2D[] {
  return x.shape[0] === 1 ? [squeeze(x, [0])] : (unstack(x) as Tensor2D[]);
}

/** Runs `step` with each step of x [T, B, width] and of mask [T, B], from the first to the last, or back. */
export function eachStep(
  x: Tensor3D,
  mask: Tensor2D | undefined,
  reverse: boolean,
  step: (x: Tensor2D, mask: Tensor1D | undefined, s: number) => void,
): void {
  const steps = unstackSteps(x);
  const masks = mask ? (unstack(mask) as Tensor1D[]) : [];
  for (let i = 0; i < steps.length; i++) {
    const s = reverse ? steps.length - 1 - i : i;
    step(steps[s]!, masks[s], s);
  }
}

/**
 * All steps in one kernel, x [T, B, width] among the inputs. By customGrad: as a second output of a registered kernel,
 * the gates would get a gradient of zeros as large as they. It takes one value.
 */
export function fusedSequence(
  { name, op, reads, gates }: SequenceKernel,
  inputs: Readonly<Record<string, Tensor>>,
  mask: Tensor2D | undefined,
  reverse: boolean,
): Tensor3D {
  const [T, B] = inputs.x!.shape as [number, number];
  const rows = mask ?? ones<Rank.R2>([T, B]);
  noSecondOrder(`${name}Grad`, op);
  const names = Object.keys(inputs);
  const run = customGrad((...args) => {
    const given = Object.fromEntries(names.map((one, n) => [one, args[n] as Tensor]));
    const save = args[names.length] as unknown as GradSaveFunc;
    const [states, kept] = runKernels(name, { ...given, mask: rows }, { reverse });
    const read = Object.fromEntries(reads.map((one) => [one, given[one]!]));
    const saved = { ...read, [gates]: kept!, states: states!, mask: rows };
    save(Object.values(saved));
    const gradFunc = (dout: Tensor, tensors: Tensor[]) => {
      const again = Object.fromEntries(Object.keys(saved).map((one, n) => [one, tensors[n]!]));
      return runKernels(`${name}Grad`, { ...again, dout }, { reverse });
    };
    return { value: states!, gradFunc };
  });
  return run(...Object.values(inputs)) as Tensor3D;
}

/** The mask as the kernels take it. */
export function floatSteps(mask: Tensor2D | undefined): Tensor2D | undefined {
  return mask && cast(mask, "float32");
}

/** What a sequence's mask must be, for `checkTensors`. */
export function expectedMask(mask: Tensor2D | undefined, T: number, B: number): Expected[] {
  return mask ? [{ name: "mask", tensor: mask, letters: "[T, B]", shape: [T, B], dtype: mask.dtype }] : [];
}
