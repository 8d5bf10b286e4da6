import { OptionError } from "../core/errors.ts";
import { notAChoice } from "../core/faults.ts";
import { looksAtImage } from "../inspect/grid.ts";
import type { Trace } from "../inspect/index.ts";
import { finished } from "../inspect/map/map.ts";
import { recordOf, VIEWS, type View } from "./list.ts";
import { named } from "./named.ts";
import type { PictureOptions } from "./options.ts";
import { checkNeeds } from "./view.ts";

export interface DrawOptions extends PictureOptions {
  /** @default what the trace is best seen as: see `defaultView` */
  readonly view?: View;
}

/**
 * A picture of a trace: an SVG document.
 *
 * Views: `heatmap` and `flow` of one head; `heads`, up to eight of them; `grid` of all; `neuron`, the channels that make
 * one query's scores; `statistics` of each head; `compare`, two heads or layers and their difference; `rollout` through
 * the layers; `image`, what was looked at in an image; `glimpse`, where, and `marginals`, how much each row and column was;
 * `gates`. Weights that are kept as q, k and lse are
 * recomputed in rows: no T × S buffer is made. Pure: the same trace gives the same text, without a DOM, and no token can
 * become markup.
 *
 * @throws OptionError OPTION, where the trace lacks what the view needs, or there is no such view · what the view's drawing throws
 * @example
 * const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] });
 * const svg = drawTrace(trace, { view: "flow", theme: "auto" });
 */
export function drawTrace(trace: Trace, options: DrawOptions = {}): string {
  return named("drawTrace", () => finished(drawSteps(trace, options)));
}

/** `drawTrace` in steps, for a page that answers its reader meanwhile; the last step returns the document. */
export function* drawSteps(trace: Trace, options: DrawOptions): Generator<undefined, string, undefined> {
  const { view = defaultView(trace) } = options;
  const record = recordOf(view);
  if (!record)
    throw new OptionError("OPTION", notAChoice({ op: "drawTrace", name: "view", choices: VIEWS, got: view }));
  checkNeeds(record, trace);
  for (const warning of trace.warnings ?? []) options.onWarning?.(warning);
  return record.steps ? yield* record.steps(trace, options) : record.svg(trace, options);
}

/**
 * What a trace is best seen as: words over an image where it has one, glimpses, all heads where there are several, one
 * head's map, or a gate.
 *
 * @example
 * const gate = traceTensor([2], [0.25, 0.75]);
 * defaultView(createTrace({ tokens: {}, layers: [], gates: { channels: gate } })); // "gates"
 */
export function defaultView(trace: Trace): View {
  const { layers, image, glimpses, gates } = trace;
  if (layers[0] && looksAtImage(trace, layers[0].S)) return "image";
  if (image && glimpses.length > 0) return "glimpse";
  if (layers.length === 0 && Object.keys(gates).length > 0) return "gates";
  return layers.length > 1 || (layers[0]?.H ?? 1) > 1 ? "grid" : "heatmap";
}
