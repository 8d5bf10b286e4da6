import { engine, type NamedAttrMap, type NamedTensorMap, type Tensor } from "@tensorflow/tfjs-core";
import { forgetTape } from "./tape.ts";

/** A kernel that has run on the current backend, or several with a gradient of their own, which are one operation. */
export interface KernelRun {
  /** Of the kernel, or of the function that the kernels are made in. */
  readonly name: string;
  readonly isComposed: boolean;
  /** How many composed operations it is part of. */
  readonly depth: number;
  /** By name, or by number where the kernel takes a list. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: readonly Tensor[];
}

/** What TensorFlow.js runs: a kernel by its name, or a function with its own gradient (`tf.customGrad`). */
interface Params {
  kernelName?: string;
  inputs: NamedTensorMap;
  attrs?: NamedAttrMap;
}

interface Watched {
  runKernelFunc(params: Params): Tensor | Tensor[];
  /** The innermost scope and its tensors. */
  state: { activeScope: { name: string; track: Tensor[] } };
}

/**
 * Shows `after` every kernel that TensorFlow.js runs while `run` does, forward and backward, in their order. What `after`
 * throws ends `run`, and leaves nothing behind: no tensor that `run` made without keeping it, and, outside of other
 * gradients, none that a tape had saved. Watchers nest, and none stays.
 */
export function watchKernels<R>(run: () => R, after: (kernel: KernelRun) => void): R {
  const watched = engine() as unknown as Watched;
  const outer = Object.getOwnPropertyDescriptor(watched, "runKernelFunc");
  const inner = watched.runKernelFunc;
  let depth = 0;
  watched.runKernelFunc = (params) => {
    const { kernelName, inputs, attrs = {} } = params;
    const isComposed = kernelName === undefined;
    const name = kernelName ?? watched.state.activeScope.name;
    if (isComposed) depth++;
    let made: Tensor | Tensor[];
    try {
      made = inner.call(watched, params);
    } finally {
      if (isComposed) depth--;
    }
    after({ name, isComposed, depth, inputs, attrs, outputs: [made].flat() });
    return made;
  };
  // A scope of its own, so that what an error cuts off goes; what `run` made stays.
  engine().startScope();
  try {
    const result = run();
    engine().endScope([...watched.state.activeScope.track]);
    return result;
  } catch (error) {
    engine().endScope();
    forgetTape();
    throw error;
  } finally {
    if (outer) Object.defineProperty(watched, "runKernelFunc", outer);
    else delete (watched as Partial<Watched>).runKernelFunc;
  }
}
