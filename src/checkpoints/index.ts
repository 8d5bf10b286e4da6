/** Files of trained values: safetensors, PyTorch and GGUF, read a tensor at a time without TensorFlow.js. */
export { type ByteSource, blobBytes, memoryBytes } from "./bytes.ts";
export type { Checkpoint, TensorInfo } from "./checkpoint.ts";
export { openCheckpoint } from "./open.ts";
export { openSharded, parseIndex } from "./sharded.ts";
