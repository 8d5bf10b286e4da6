/** Files of trained values: safetensors, PyTorch, GGUF and Keras, read a tensor at a time without TensorFlow.js. */
export { type ByteSource, blobBytes, memoryBytes } from "./bytes.ts";
export type { Checkpoint, TensorInfo } from "./checkpoint.ts";
export { useHdf5 } from "./hdf5-library.ts";
export { openCheckpoint } from "./open.ts";
export { openSharded, parseIndex } from "./sharded.ts";
