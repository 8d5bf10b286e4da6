export interface Fault {
  readonly op: string;
  readonly place: string;
  readonly rule: string;
  readonly got: string;
  readonly remedy: string;
}

/** Messages of pictures made from a trace, and of what makes traces. */
export const viewMessages = {
  VIEW: (d: Fault) => `${d.op}: ${d.place} must ${d.rule}, got ${d.got}; ${d.remedy}`,
};
