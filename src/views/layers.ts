import { type AttentionMap, layerMap, type Trace, type TraceLayer } from "../inspect/index.ts";
import { blockTokens, type HeatmapData } from "../viz/data.ts";
import { refuse } from "./named.ts";
import { type PictureOptions, single, within } from "./options.ts";

/** A head of a layer, chosen. */
export interface ChosenHead {
  readonly layer: TraceLayer;
  readonly head: number;
  readonly map: AttentionMap;
}

export function chooseLayer(view: string, { layers }: Trace, given: PictureOptions["layer"]): TraceLayer {
  return layers[within("layer", single(view, "layer", given) ?? 0, layers.length, "the trace")]!;
}

/** The layer and head of a view that shows one. */
export function chooseHead(view: string, trace: Trace, options: PictureOptions): ChosenHead {
  const layer = chooseLayer(view, trace, options.layer);
  const head = within("head", single(view, "head", options.head) ?? 0, layer.H, layer.name);
  return { layer, head, map: mapOf(layer, options) };
}

/** The map of a layer, by what the options have that is faster than plain loops. */
export function mapOf(layer: TraceLayer, { computer }: Pick<PictureOptions, "computer">): AttentionMap {
  return layerMap(layer, undefined, computer?.(layer));
}

/** `encoder 0, head 2`; the head alone says nothing where there is one. */
export function nameOf({ layer, head }: Pick<ChosenHead, "layer" | "head">): string {
  return layer.H === 1 ? layer.name : `${layer.name}, head ${head}`;
}

/** The title of a picture: what is shown, after the trace's own name. */
export function titled({ name }: Trace, shown: string): string {
  return name === undefined ? shown : `${name}: ${shown}`;
}

export const titleOf = (trace: Trace, chosen: ChosenHead) => titled(trace, nameOf(chosen));

/** The tokens of a layer: `rows` queries, `columns` keys. */
export function tokensOf(trace: Trace, { alignQ, alignK }: TraceLayer) {
  return { rowTokens: trace.tokens[alignQ]!, columnTokens: trace.tokens[alignK]! };
}

/** More cells on a side than this are less than 4 px in a heat map: they are pooled. */
const MOST_CELLS = 200;

/** The cells of a map, pooled where there are too many: no T × S buffer is made. */
export function headCells(map: AttentionMap, head: number, most = MOST_CELLS) {
  const factor = Math.ceil(Math.max(map.T, map.S) / most);
  return { cells: factor === 1 ? map.rows(head, 0, map.T) : map.pooled(head, factor), factor };
}

/** A head as a heat map's data, with a note where it had to be pooled. */
export function headData(trace: Trace, { layer, head, map }: ChosenHead, most?: number) {
  const { cells, factor } = headCells(map, head, most);
  const { rowTokens, columnTokens } = tokensOf(trace, layer);
  const data: HeatmapData = {
    weights: cells,
    rowTokens: blockTokens(rowTokens, factor),
    columnTokens: blockTokens(columnTokens, factor),
  };
  // Weights after dropout, or that never were shares, are known for what they are; so are the largest of blocks.
  const isOfShares = map.rowSums === "one" && factor === 1;
  if (factor === 1) return { data, isOfShares };
  const note = `${layer.T} × ${layer.S} weights, pooled ${factor}×: a cell shows the largest of ${factor} × ${factor} weights.`;
  return { data, isOfShares, note };
}

/** Flows have a line for each token; longer lists are no picture. */
const MOST_TOKENS = 400;

/** A head's weights for a picture that cannot be pooled. */
export function unpooledData(view: string, trace: Trace, chosen: ChosenHead): HeatmapData {
  const { T, S, name } = chosen.layer;
  if (Math.max(T, S) > MOST_TOKENS) {
    const rule = `have at most ${MOST_TOKENS} tokens a side for the view ${view}`;
    refuse(name, rule, `${T} × ${S}`, "choose the view heatmap, which pools");
  }
  return { weights: chosen.map.rows(chosen.head, 0, T), ...tokensOf(trace, chosen.layer) };
}
