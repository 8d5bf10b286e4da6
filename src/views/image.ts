import { keysOfGrid, looksAtImage } from "../inspect/grid.ts";
import { layerMap, type Trace, type TraceLayer } from "../inspect/index.ts";
import { decodePng, imageAttention } from "../viz/index.ts";
import { chooseLayer, held, titled } from "./layers.ts";
import { type DrawOptions, refuse, single, within } from "./options.ts";

/** More panels than this are no picture any more. */
const MOST_PANELS = 24;

/**
 * What was looked at in an image: a panel for each word where words look at patches; where patches look at patches, a
 * panel for each head with what one query looks at.
 */
export function imageView(op: string, trace: Trace, options: DrawOptions): string {
  const view = "image";
  const { image, grid } = trace;
  if (!image || !grid) {
    const remedy = "capture with both, or choose another view";
    refuse(op, `a trace for the view ${view}`, "have an image and its grid", held(trace), remedy);
  }
  const layer = chooseLayer(op, view, trace, options.layer);
  if (!looksAtImage(trace, layer.S)) {
    const rule = `have a key for each of the ${keysOfGrid(grid)} patches for the view ${view}`;
    refuse(op, layer.name, rule, `S=${layer.S}`, "choose a layer that looks at the image");
  }
  const map = layerMap(layer);
  const patches = (head: number, query: number) => map.row(head, query).values.slice(grid.cls);
  const panels = layer.T === layer.S ? ofHeads(op, layer, options) : ofWords(op, trace, layer, options);
  const { palette, theme } = options;
  return imageAttention(
    {
      image: decodePng(image),
      grid: [grid.height, grid.width],
      maps: panels.map(({ head, query }) => patches(head, query)),
      words: panels.map(({ word }) => word),
    },
    {
      title: options.title ?? titled(trace, captionOf(trace, layer, options)),
      ...(palette && { palette }),
      ...(theme && { theme }),
    },
  );
}

const captionOf = (trace: Trace, layer: TraceLayer, { query = 0 }: DrawOptions) =>
  layer.T === layer.S
    ? `${layer.name}: what “${trace.tokens[layer.alignQ]![query]}” looks at`
    : `${layer.name}: what each word looked at`;

interface Panel {
  readonly head: number;
  readonly query: number;
  readonly word: string;
}

function ofHeads(op: string, layer: TraceLayer, options: DrawOptions): Panel[] {
  const query = within(op, "query", options.query ?? 0, layer.T, `tokens["${layer.alignQ}"]`);
  const all = Array.from({ length: Math.min(layer.H, MOST_PANELS) }, (_, h) => h);
  const heads = options.head === undefined ? all : [options.head].flat();
  return heads.map((given) => {
    const head = within(op, "head", given, layer.H, layer.name);
    return { head, query, word: `head ${head}` };
  });
}

function ofWords(op: string, trace: Trace, layer: TraceLayer, options: DrawOptions): Panel[] {
  const head = within(op, "head", single(op, "image", "head", options.head) ?? 0, layer.H, layer.name);
  return trace.tokens[layer.alignQ]!.slice(0, MOST_PANELS).map((word, query) => ({ head, query, word }));
}
