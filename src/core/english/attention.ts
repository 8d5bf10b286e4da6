/** Messages of core and of the attention mechanisms. */
export const attentionMessages = {
  RANDOM_RANGE: (d: { op: string; rule: string; got: number }) =>
    `${d.op}: ${d.rule}, got ${d.got}; round it or choose one in that range`,
};
