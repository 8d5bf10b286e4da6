/** Messages of the kernels on typed arrays. */
export const kernelMessages = {
  KERNEL_MEMORY: (d: { op: string; bytes: number }) =>
    `${d.op}: the operands of one group of heads must fit in a WebAssembly memory of at most 4 GiB, got ${d.bytes} ` +
    `bytes that could not be had; use fewer queries at a time with queryOffset, or free memory`,
  NOT_READY: (d: { op: string }) =>
    `${d.op}: float32 kernels must be compiled before they run, got a call before that; await init() once`,
  THREADS: (d: { op: string; got: unknown }) =>
    `${d.op}: threads must be an integer ≥ 1, got ${String(d.got)}; pass as many as the machine has cores, or leave it out`,
  KERNEL_FAILED: (d: { op: string; failed: number; calls: number }) =>
    `${d.op}: every call must end, got a trap in ${d.failed} of ${d.calls}; this is a fault of heed, please report it`,
  KERNEL_WORKER_FAILED: (d: { op: string; message: string }) =>
    `${d.op}: every worker thread must start, got "${d.message}"; use threads: 1 where there can be no workers`,
  KERNEL_WORKER_LOST: (d: { op: string; seconds: number }) =>
    `${d.op}: every worker thread must finish its part, got nothing from one for ${d.seconds} s, so its result is ` +
    "lost; call again, which runs on one thread, or await init({ threads }) for new workers",
  ARRAY_KIND: (d: { op: string; got: readonly string[] }) =>
    `${d.op}: q, k, v and dout must be all Float32Array or all Float64Array, got ${d.got.join(", ")}; convert them`,
  ELEMENTS: (d: { op: string; name: string; letters: string; expected: number; got: number }) =>
    `${d.op}: ${d.name} must hold ${d.letters} = ${d.expected} numbers, got ${d.got}; pass the whole array, row-major ` +
    `and not detached`,
  PACKED_LENGTHS: (d: {
    op: string;
    name: string;
    B: number;
    letter: string;
    total: number;
    got: readonly number[];
  }) =>
    `${d.op}: with layout: "thd" ${d.name} must be B=${d.B} integers ≥ 0 that add up to ${d.letter}=${d.total}, got ` +
    `[${d.got.join(", ")}]; give the number of rows of each packed sequence, and their total as ${d.letter}`,
  SHAPE_LETTER: (d: { op: string; letter: string; least: number; got: unknown }) =>
    `${d.op}: shape.${d.letter} must be an integer ≥ ${d.least}, got ${String(d.got)}; name the sizes of q ` +
    `[B, H, T, D], k [B, Hkv, S, D] and v [B, Hkv, S, Dv]`,
  ADDITIVE_LETTER: (d: { op: string; letter: string; least: number; got: unknown }) =>
    `${d.op}: sizes.${d.letter} must be an integer ≥ ${d.least}, got ${String(d.got)}; name the sizes of query ` +
    `[B, T, A], key [B, S, A] and value [B, S, Dv]`,
  ADDITIVE_KIND: (d: { op: string; names: readonly string[]; got: readonly string[] }) =>
    `${d.op}: ${d.names.join(", ")} must be all Float32Array or all Float64Array, got ${d.got.join(", ")}; convert them`,
};
