import { flow, terminalFlow } from "../viz/index.ts";
import { chooseHead, titleOf, unpooledData } from "./layers.ts";
import type { ViewRecord } from "./view.ts";

/** What each query of one head reads, as lines. */
export const flowView: ViewRecord<"flow"> = {
  name: "flow",
  label: "Flow",
  title: "Attention flow",
  caption: "One head as lines from what was read to what read it, thick by weight.",
  needs: ["layers"],
  chooses: ["layer", "head"],
  example: { head: 1 },
  svg(trace, options) {
    const chosen = chooseHead("flow", trace, options);
    const { theme, onWarning, title = titleOf(trace, chosen) } = options;
    return flow(unpooledData("flow", trace, chosen), {
      title,
      ...(theme && { theme }),
      ...(onWarning && chosen.layer.rowSums === "one" && { onWarning }),
    });
  },
  text(trace, options) {
    const chosen = chooseHead("flow", trace, options);
    const { unicode, columns, title = titleOf(trace, chosen) } = options;
    return terminalFlow(unpooledData("flow", trace, chosen), { unicode, columns, title });
  },
};
