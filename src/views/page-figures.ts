import { HeedError } from "../core/errors.ts";
import type { Trace } from "../inspect/index.ts";
import { drawTrace } from "./draw-trace.ts";
import { RECORDS } from "./list.ts";
import { named } from "./named.ts";
import { type PageFigure, type PictureOptions, single, within } from "./options.ts";
import { checkNeeds, isFor } from "./view.ts";

export type PageFigureOptions = Omit<PictureOptions, "title">;

/**
 * The pictures of a trace that the elements do not draw, each where the trace has what it needs: `image` with all its
 * panels, `glimpse`, the marginals of Gaussian glimpses, `statistics`, `rollout`, `neuron`, and every one of `gates`.
 *
 * Left out: statistics of more than 2²⁴ weights, a rollout of more than 256 tokens, a neuron view of more than 128 keys.
 * `onWarning` gets a sentence for what cannot be drawn of a good trace, such as a Gaussian glimpse without `glimpseSize`.
 * For `standaloneHtml`, whose page is drawn in the reader's theme. Pure.
 *
 * @param options `layer`, `head` and `query` choose the neuron view, and the image's; `gate` one gate of them all;
 *   `theme` is `"auto"` where nothing is said
 * @throws OptionError OPTION for a layer, head, query or gate that is not there
 * @example
 * const channels = traceTensor([2], [0.25, 0.75]);
 * pageFigures(createTrace({ tokens: {}, layers: [], gates: { channels } }))[0].caption; // "The gate channels: what it lets through."
 */
export function pageFigures(trace: Trace, options: PageFigureOptions = {}): readonly PageFigure[] {
  const op = "pageFigures";
  named(op, () => checkChosen(trace, options));
  const look: PictureOptions = { theme: "auto", ...options };
  for (const warning of trace.warnings ?? []) options.onWarning?.(warning);
  // The page has the trace's name above all of them, and each warning is said once.
  const unnamed = { ...trace, name: undefined, warnings: [] };
  return RECORDS.filter((record) => isFor(record, trace)).flatMap(({ name, page }) => {
    const draw = (more?: PictureOptions) => drawTrace(unnamed, { ...look, ...more, view: name });
    try {
      return named(op, () => page?.(unnamed, look, draw) ?? []);
    } catch (error) {
      if (!(error instanceof HeedError)) throw error;
      options.onWarning?.(`${error.message}; the page goes without`);
      return [];
    }
  });
}

/** Throws where the layer, head, query or gate that is named is not there. */
function checkChosen(trace: Trace, options: PageFigureOptions): void {
  const { layers, tokens } = trace;
  const given = single("neuron", "layer", options.layer);
  if (given !== undefined) {
    checkNeeds({ name: "neuron", needs: ["layers"] }, trace);
    within("layer", given, layers.length, "the trace");
  }
  const layer = layers[given ?? 0];
  const head = single("neuron", "head", options.head);
  if (layer && head !== undefined) within("head", head, layer.H, layer.name);
  if (layer && options.query !== undefined)
    within("query", options.query, tokens[layer.alignQ]!.length, `tokens["${layer.alignQ}"]`);
  if (options.gate !== undefined) drawTrace(trace, { view: "gates", gate: options.gate });
}
