/** Messages of the kernels on typed arrays. */
export const kernelMessages = {
  ELEMENTS: (d: { op: string; name: string; letters: string; expected: number; got: number }) =>
    `${d.op}: ${d.name} must hold ${d.letters} = ${d.expected} numbers, got ${d.got}; pass the whole array, row-major ` +
    `and not detached`,
};
