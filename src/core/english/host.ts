/** Messages of the backend and its kernels. */
export const hostMessages = {
  RANK: (d: { op: string; name: string; rank: string; shape: readonly number[] }) =>
    `${d.op}: ${d.name} must have rank ${d.rank}, got shape [${d.shape.join(", ")}]; reshape it first`,
  SIZE: (d: { op: string; rule: string; got: string; remedy: string }) =>
    `${d.op}: ${d.rule}, got ${d.got}; ${d.remedy}`,
};
