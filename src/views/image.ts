import { keysOfGrid, looksAtImage } from "../inspect/grid.ts";
import { layerMap, type Trace, type TraceLayer } from "../inspect/index.ts";
import { decodePng, type ImageAttentionData, image, terminalImage } from "../viz/index.ts";
import { chooseLayer, titled } from "./layers.ts";
import { refuse } from "./named.ts";
import { type PictureOptions, single, within } from "./options.ts";
import type { ViewRecord } from "./view.ts";

/** More panels than this are no picture any more. */
const MOST_PANELS = 24;

/** Patches look at patches: a panel for each head with what one query looks at. Else words do: a panel for each. */
const isOfPatches = ({ T, S }: TraceLayer) => T === S;

/** What was looked at in an image. */
export const imageView: ViewRecord<"image"> = {
  name: "image",
  label: "Image",
  title: "Attention over the image",
  caption: "What each word looked at in the image.",
  needs: ["image", "layers"],
  suits: {
    rule: "have an image, its grid and a layer that looks at it",
    isMet: (trace) => trace.layers.some(({ S }) => looksAtImage(trace, S)),
  },
  chooses: ["layer", "head"],
  svg(trace, options) {
    const { layer, data } = looked(trace, options);
    const { palette, theme, title = titled(trace, captionOf(trace, layer, options)) } = options;
    return image(data, { title, ...(palette && { palette }), ...(theme && { theme }) });
  },
  text: (trace, options) => terminalImage(looked(trace, options).data, options),
  page(trace, { layer: chosen }, draw) {
    const looks = ({ S }: TraceLayer, l: number) =>
      looksAtImage(trace, S) && (chosen === undefined || l === [chosen].flat()[0]);
    const layer = trace.layers.findIndex(looks);
    if (layer < 0) return [];
    const ofPatches = "What one patch of the image looks at, for each head.";
    const caption = isOfPatches(trace.layers[layer]!) ? ofPatches : imageView.caption;
    return [{ caption, svg: draw({ layer }) }];
  },
};

/** The layer that looks at the image, and what it looked at there. */
function looked(trace: Trace, options: PictureOptions): { layer: TraceLayer; data: ImageAttentionData } {
  const { image: bytes, grid } = trace as Required<Trace>;
  const layer = chooseLayer("image", trace, options.layer);
  if (!looksAtImage(trace, layer.S)) {
    const rule = `have a key for each of the ${keysOfGrid(grid)} patches for the view image`;
    refuse(layer.name, rule, `S=${layer.S}`, "choose a layer that looks at the image");
  }
  const map = layerMap(layer);
  const panels = isOfPatches(layer) ? ofHeads(layer, options) : ofWords(trace, layer, options);
  const data = {
    image: decodePng(bytes),
    grid: [grid.height, grid.width] as const,
    maps: panels.map(({ head, query }) => map.row(head, query).values.slice(grid.cls)),
    words: panels.map(({ word }) => word),
  };
  return { layer, data };
}

const captionOf = (trace: Trace, layer: TraceLayer, { query = 0 }: PictureOptions) =>
  isOfPatches(layer)
    ? `${layer.name}: what “${trace.tokens[layer.alignQ]![query]}” looks at`
    : `${layer.name}: what each word looked at`;

interface Panel {
  readonly head: number;
  readonly query: number;
  readonly word: string;
}

function ofHeads(layer: TraceLayer, options: PictureOptions): Panel[] {
  const query = within("query", options.query ?? 0, layer.T, `tokens["${layer.alignQ}"]`);
  const all = Array.from({ length: Math.min(layer.H, MOST_PANELS) }, (_, h) => h);
  const heads = options.head === undefined ? all : [options.head].flat();
  return heads.map((given) => {
    const head = within("head", given, layer.H, layer.name);
    return { head, query, word: `head ${head}` };
  });
}

function ofWords(trace: Trace, layer: TraceLayer, options: PictureOptions): Panel[] {
  const head = within("head", single("image", "head", options.head) ?? 0, layer.H, layer.name);
  return trace.tokens[layer.alignQ]!.slice(0, MOST_PANELS).map((word, query) => ({ head, query, word }));
}
