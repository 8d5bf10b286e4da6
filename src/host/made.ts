import type { TensorInfo } from "@tensorflow/tfjs-core";

/** The tensors that a running kernel has made by now: when it throws, on full memory for one, they are freed. */
export class MadeTensors {
  readonly #dispose: (tensor: TensorInfo) => void;
  /** Of the innermost kernel; undefined between kernels. */
  #made: Set<TensorInfo> | undefined;

  constructor(dispose: (tensor: TensorInfo) => void) {
    this.#dispose = dispose;
  }

  add<T extends TensorInfo>(tensor: T): T {
    this.#made?.add(tensor);
    return tensor;
  }

  delete(tensor: TensorInfo): void {
    this.#made?.delete(tensor);
  }

  /** Runs a kernel, which may run others: what those have made is then its own. */
  during<T>(kernel: () => T): T {
    const outer = this.#made;
    this.#made = new Set();
    try {
      const result = kernel();
      for (const tensor of this.#made) outer?.add(tensor);
      return result;
    } catch (error) {
      for (const tensor of this.#made) this.#dispose(tensor);
      throw error;
    } finally {
      this.#made = outer;
    }
  }
}
