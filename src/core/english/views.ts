import type { Fault } from "./inspect.ts";

/** Messages of pictures made from a trace, and of what makes traces. */
export const viewMessages = {
  VIEW: (d: Fault) => `${d.op}: ${d.place} must ${d.rule}, got ${d.got}; ${d.remedy}`,
};
