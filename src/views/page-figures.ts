import { HeedError } from "../core/errors.ts";
import { looksAtImage } from "../inspect/grid.ts";
import type { Trace, TraceLayer } from "../inspect/index.ts";
import { drawView } from "./draw-trace.ts";
import { needLayers } from "./layers.ts";
import { marginalsOf } from "./marginals.ts";
import { type DrawOptions, single, type View, within } from "./options.ts";

/** A still picture for a page. */
export interface PageFigure {
  /** What it shows, as plain text. */
  readonly caption: string;
  /** An SVG document. */
  readonly svg: string;
}

export type PageFigureOptions = Omit<DrawOptions, "view" | "title">;

/** What more would cost minutes, or be no picture: rollout multiplies T × T maps, a neuron view has a row for each key. */
const MOST_ROLLED_OUT = 256;
const MOST_KEYS = 128;
const MOST_WEIGHTS = 1 << 24;

/**
 * The pictures of a trace that the elements do not draw, each where the trace has what it needs: `image` with all its
 * panels, `glimpse`, the marginals of Gaussian glimpses, `statistics`, `rollout`, `neuron`, and every one of `gates`.
 *
 * Left out: statistics of more than 2²⁴ weights, a rollout of more than 256 tokens, a neuron view of more than 128 keys.
 * What cannot be drawn of a good trace, such as a Gaussian glimpse without `glimpseSize`, is told to `onWarning`. For
 * `standaloneHtml`, whose page is drawn in the reader's theme. Pure.
 *
 * @param options `layer`, `head` and `query` choose the neuron view, and the image's; `gate` one gate of them all;
 *   `theme` is `"auto"` where nothing is said
 * @throws OptionError VIEW for a layer, head, query or gate that is not there
 * @example
 * const channels = traceTensor([2], [0.25, 0.75]);
 * pageFigures(createTrace({ tokens: {}, layers: [], gates: { channels } }))[0].caption; // "The gate channels: what it lets through."
 */
export function pageFigures(trace: Trace, options: PageFigureOptions = {}): readonly PageFigure[] {
  return figuresFor("pageFigures", trace, options);
}

/** `pageFigures` under the name that errors are to give. */
export function figuresFor(op: string, trace: Trace, options: PageFigureOptions): readonly PageFigure[] {
  const { layers, image, glimpses } = trace;
  const chosen = chosenLayer(op, trace, options);
  const look: DrawOptions = { theme: "auto", ...options };
  const { onWarning } = look;
  // The page has the trace's name above all of them.
  const draw = (view: View, more: DrawOptions = {}) =>
    drawView(op, { ...trace, name: undefined }, { ...look, ...more, view });
  const tried = (figures: () => readonly PageFigure[]): readonly PageFigure[] => {
    try {
      return figures();
    } catch (error) {
      if (!(error instanceof HeedError)) throw error;
      onWarning?.(`${error.message}; the page goes without`);
      return [];
    }
  };
  const drawn = (view: View, caption: string, more?: DrawOptions) =>
    tried(() => [{ caption, svg: draw(view, more) }]);

  const figures: PageFigure[] = [];
  const looking = layers.findIndex((layer) => looksAtImage(trace, layer.S) && (!chosen || layer === chosen));
  if (looking >= 0) {
    const ofPatches = layers[looking]!.T === layers[looking]!.S;
    const caption = ofPatches
      ? "What one patch of the image looks at, for each head."
      : "What each word looked at in the image.";
    figures.push(...drawn("image", caption, { layer: looking }));
  }
  if (image && glimpses.length > 0) {
    figures.push(
      ...drawn("glimpse", "Where the model looked in the image, step by step, and what it saw there."),
    );
    figures.push(...tried(() => marginalFigures(trace, look)));
  }
  if (layers.length > 0 && weightsOf(layers) <= MOST_WEIGHTS)
    figures.push(...drawn("statistics", "What each head does, in numbers.", { layer: undefined }));
  if (layers.length > 1 && canBeRolledOut(layers))
    figures.push(
      ...drawn("rollout", "How much of each output comes from each input, through all layers.", {
        layer: undefined,
      }),
    );
  const shown = chosen ?? layers[0];
  if (shown?.q && shown.k && shown.S <= MOST_KEYS)
    figures.push(...drawn("neuron", "Which channels of query and keys make the scores of one query."));
  const gates = look.gate === undefined ? Object.keys(trace.gates) : [look.gate];
  for (const gate of gates)
    figures.push({ caption: `The gate ${gate}: what it lets through.`, svg: draw("gates", { gate }) });
  return figures;
}

/** The layer that was named; throws where it, its head or its query is not there. */
function chosenLayer(op: string, trace: Trace, options: PageFigureOptions): TraceLayer | undefined {
  const { layers, tokens } = trace;
  const given = single(op, "neuron", "layer", options.layer);
  if (given !== undefined) needLayers(op, "neuron", trace);
  const at = given === undefined ? 0 : within(op, "layer", given, layers.length, "the trace");
  const layer = layers[at];
  if (!layer) return undefined;
  const head = single(op, "neuron", "head", options.head);
  if (head !== undefined) within(op, "head", head, layer.H, layer.name);
  if (options.query !== undefined)
    within(op, "query", options.query, tokens[layer.alignQ]!.length, `tokens["${layer.alignQ}"]`);
  return given === undefined ? undefined : layer;
}

function canBeRolledOut(layers: readonly TraceLayer[]): boolean {
  const [{ alignQ, T }] = layers as [TraceLayer];
  return T <= MOST_ROLLED_OUT && layers.every((layer) => layer.alignQ === alignQ && layer.alignK === alignQ);
}

const weightsOf = (layers: readonly TraceLayer[]): number =>
  layers.reduce((sum, { H, T, S }) => sum + H * T * S, 0);

function marginalFigures(trace: Trace, options: DrawOptions): readonly PageFigure[] {
  return marginalsOf(trace, options).map(({ step, block, svg }) => {
    const part = block === 1 ? "" : ` One of ${block} × ${block} pixels is drawn.`;
    return { caption: `Step ${step}: how much each row and each column is looked at.${part}`, svg };
  });
}
