/** A tensor before it is read. */
export interface TensorInfo {
  /** As the file calls it: F32, BF16, Q4_K … */
  readonly dtype: string;
  /** Row-major, the last axis fastest. */
  readonly shape: readonly number[];
  /** In the file. */
  readonly bytes: number;
}

/** A file of trained values. Nothing of a tensor is read before it is asked for. */
export interface Checkpoint {
  readonly format: "safetensors" | "pytorch" | "gguf" | "keras";
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** What the file says besides its tensors. */
  readonly metadata: ReadonlyMap<string, unknown>;
  /**
   * The values of a tensor in float32.
   *
   * @throws OptionError UNKNOWN where there is none of that name · DataError DAMAGED, UNSUPPORTED
   */
  read(name: string): Promise<Float32Array>;
  /** The bytes of a tensor as the file has them; of formats whose dtypes are ggml's. @throws as `read` */
  readStored?(name: string): Promise<Uint8Array>;
  close(): Promise<void>;
}
