import type { Trace } from "../inspect/index.ts";
import { flow } from "../viz/index.ts";
import { chooseHead, titleOf, unpooledData } from "./layers.ts";
import type { DrawOptions } from "./options.ts";

/** What each query of one head reads, as lines. */
export function flowView(op: string, trace: Trace, options: DrawOptions): string {
  const chosen = chooseHead(op, "flow", trace, options);
  const { theme, onWarning } = options;
  return flow(unpooledData(op, "flow", trace, chosen), {
    title: options.title ?? titleOf(trace, chosen),
    ...(theme && { theme }),
    ...(onWarning && chosen.layer.rowSums === "one" && { onWarning }),
  });
}
