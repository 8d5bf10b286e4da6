/** Messages of the linear and approximate mechanisms. */
export const efficientLinearMessages = {
  LAST_HIDDEN: (d: { op: string; b: number; t: number }) =>
    `${d.op}: its mask must hide the last positions of an example alone, got position ${d.t} of example ${d.b} hidden ` +
    `before one that is not; pad at the end`,
};
