import {
  cast,
  engine,
  type GradConfig,
  getBackend,
  getGradient,
  getKernel,
  type NamedAttrMap,
  type NamedTensorMap,
  registerGradient,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { noSecondGradient } from "../core/faults.ts";

/** Whether the current backend has this kernel; where it has not, an op composes TensorFlow.js ops instead. */
export function isFused(kernelName: string): boolean {
  return getKernel(kernelName, getBackend()) !== undefined;
}

/** Runs a kernel of the current backend with one output. Leave absent inputs out: the tape refuses undefined. */
export function runKernel(kernelName: string, inputs: NamedTensorMap, attrs?: NamedAttrMap): Tensor {
  return engine().runKernel(kernelName, inputs, attrs);
}

/** `runKernel` for kernels with several outputs. */
export function runKernels(kernelName: string, inputs: NamedTensorMap, attrs?: NamedAttrMap): Tensor[] {
  return engine().runKernel(kernelName, inputs, attrs);
}

/** `runKernels` on a list of inputs: a gradient may save all of a list, and names only if all of them are there. */
export function runKernelsOn(kernelName: string, inputs: readonly Tensor[], attrs: object): Tensor[] {
  const list = inputs as unknown as NamedTensorMap;
  return [runKernels(kernelName, list, attrs as NamedAttrMap)].flat();
}

/** The gradients of a kernel on a list, by the numbers of its inputs. */
export function byNumber(gradients: readonly Tensor[]): Record<string, () => Tensor> {
  return Object.fromEntries(gradients.map((one, n) => [String(n), () => one]));
}

/** Registers a gradient at an op's first fused call, because importing heed must change nothing. */
export function ensureGradient(config: GradConfig): void {
  if (!getGradient(config.kernelName)) registerGradient(config);
}

/**
 * Says so when the gradient of `op` is itself differentiated: `kernelName`, its gradient kernel, has no gradient, and
 * TensorFlow.js would only say that a function of that name was not found. To be called beside `ensureGradient`.
 *
 * The gradient it registers throws OptionError GRADIENT.
 */
export function noSecondOrder(kernelName: string, op: string): void {
  if (getGradient(kernelName)) return;
  registerGradient({
    kernelName,
    gradFunc: () => {
      throw new OptionError("GRADIENT", noSecondGradient({ op }));
    },
  });
}

/** x as the kernels take it. */
export function float(x: Tensor): Tensor {
  return x.dtype === "float32" ? x : cast(x, "float32");
}
