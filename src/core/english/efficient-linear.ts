const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;

/** Messages of the linear and approximate mechanisms. */
export const efficientLinearMessages = {
  EMPTY_SEQUENCE: (d: { op: string; T: number; S: number }) =>
    `${d.op}: there must be T ≥ 1 queries and S ≥ 1 keys, got T=${d.T} and S=${d.S}; leave empty sequences out`,
  RECURRENT_LENGTHS: (d: { op: string; T: number; S: number }) =>
    `${d.op}: a recurrence must have as many queries as keys, got T=${d.T} and S=${d.S}; pass earlier keys as the ` +
    `state that their call returned`,
  INPUT_SHAPE: (d: { op: string; name: string; shapes: readonly number[][]; got: readonly number[] }) =>
    `${d.op}: ${d.name} must have shape ${d.shapes.map(show).join(" or ")} here, got ${show(d.got)}; ` +
    `each letter must mean the same size in all inputs`,
  SKIP_LENGTHS: (d: { op: string; T: number; S: number }) =>
    `${d.op}: the skip over the values must have as many queries as keys, got T=${d.T} and S=${d.S}; leave conv out`,
  ODD_FILTER: (d: { op: string; K: number }) =>
    `${d.op}: conv [K, H] must have an odd length K, so that it has a middle, got K=${d.K}; use ${d.K - 1} or ${d.K + 1}`,
  ODD_ROTATION: (d: { op: string; D: number }) =>
    `${d.op}: xpos turns pairs of columns, so D must be even, got D=${d.D}; widen the heads by one column`,
  DECAYS: (d: { op: string; Hkv: number; got: readonly number[] }) =>
    `${d.op}: decays must be Hkv=${d.Hkv} numbers above 0 and at most 1, got ${show(d.got)}; give each head's γ, ` +
    `as retentionDecays makes them`,
  BUCKETS: (d: { op: string; got: readonly number[] }) =>
    `${d.op}: buckets must be 1 or even, for each direction stands for two, got ${show(d.got)}; double the odd ones`,
  LAST_HIDDEN: (d: { op: string; b: number; t: number }) =>
    `${d.op}: its mask must hide the last positions of an example alone, got position ${d.t} of example ${d.b} hidden ` +
    `before one that is not; pad at the end`,
  STATE_CAUSAL: (d: { op: string }) =>
    `${d.op}: state and returnState must come with causal: true, got causal: false; without it all keys come at once`,
};
