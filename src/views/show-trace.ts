import type { Trace } from "../inspect/index.ts";
import { recordOf, TERMINAL_VIEWS, type View } from "./list.ts";
import { named, refuse } from "./named.ts";
import type { TextOptions } from "./options.ts";
import { checkNeeds } from "./view.ts";

export interface ShowOptions extends TextOptions {
  /** One of `TERMINAL_VIEWS`. @default "heatmap" */
  readonly view?: View;
}

/**
 * A trace in a terminal: one string, lines joined by "\n".
 *
 * Views: `heatmap` and `rollout` with the whole chain from 24-bit colour down to plain text, `flow` as a list with bars,
 * `grid` as small maps, `statistics` as a table. Pure; no token can reach the terminal as a control.
 *
 * @throws OptionError OPTION · what the view's drawing throws
 * @example
 * const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] });
 * showTrace(trace, { depth: 1, unicode: true, columns: 80, format: "text" }).split("\n")[1]; // "suis: am 0.75, I 0.25"
 */
export function showTrace(trace: Trace, options: ShowOptions): string {
  return named("showTrace", () => {
    const { view = "heatmap" } = options;
    const record = recordOf(view);
    if (!record?.text) {
      const rule = `be one of ${TERMINAL_VIEWS.join(", ")} in a terminal`;
      return refuse("view", rule, view, "draw it as a picture: heed svg, drawTrace");
    }
    checkNeeds(record, trace);
    return record.text(trace, options);
  });
}
