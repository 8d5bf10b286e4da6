/** Messages of the kernels on typed arrays. */
export const kernelMessages = {
  KERNEL_MEMORY: (d: { op: string; bytes: number }) =>
    `${d.op}: the operands of one group of heads must fit in a WebAssembly memory of at most 4 GiB, got ${d.bytes} ` +
    `bytes that could not be had; use fewer queries at a time with queryOffset, or free memory`,
  NOT_READY: (d: { op: string }) =>
    `${d.op}: float32 kernels must be compiled before they run, got a call before that; await init() once`,
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
