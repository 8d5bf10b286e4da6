/** Messages of the backend and its kernels. */
export const hostMessages = {
  OUT_OF_MEMORY: (d: { op: string; bytes: number; heapBytes: number }) =>
    `${d.op}: the WebAssembly heap must have room for ${d.bytes} more bytes (it ends at 4 GiB), got a heap of ` +
    `${d.heapBytes} bytes that cannot grow; dispose tensors, or use a smaller batch`,
  BACKEND: (d: { op: string; backend: string }) =>
    `${d.op}: the backend "${d.backend}" must start, got a failure, whose reason TensorFlow.js has printed; check that ` +
    "WebAssembly with SIMD is there and that its files can be loaded",
  RANK: (d: { op: string; name: string; rank: string; shape: readonly number[] }) =>
    `${d.op}: ${d.name} must have rank ${d.rank}, got shape [${d.shape.join(", ")}]; reshape it first`,
  SIZE: (d: { op: string; rule: string; got: string; remedy: string }) =>
    `${d.op}: ${d.rule}, got ${d.got}; ${d.remedy}`,
};
