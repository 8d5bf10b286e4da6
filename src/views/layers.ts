import {
  type AttentionMap,
  type Cells,
  layerMap,
  MASKED,
  NOT_FINITE,
  type Trace,
  type TraceLayer,
} from "../inspect/index.ts";
import { blockTokens, type HeatmapData } from "../viz/matrix.ts";
import { type DrawOptions, refuse, single, type View, within } from "./options.ts";

/** A head of a layer, chosen. */
export interface ChosenHead {
  readonly layer: TraceLayer;
  readonly head: number;
  readonly map: AttentionMap;
}

/** Throws unless the trace has a layer of attention at all. */
export function needLayers(op: string, view: View, trace: Trace): readonly TraceLayer[] {
  if (trace.layers.length > 0) return trace.layers;
  const rule = "have a layer of attention: attn.0, or q.0, k.0 and lse.0";
  return refuse(op, `a trace for the view ${view}`, rule, held(trace), "capture one, or choose another view");
}

/** What a trace has, in a few words. */
export function held(trace: Trace): string {
  const { layers, gates, glimpses, image } = trace;
  const list = (n: number, noun: string) => (n === 0 ? [] : [`${n} ${noun}${n === 1 ? "" : "s"}`]);
  const parts = [
    ...list(layers.length, "layer"),
    ...list(Object.keys(gates).length, "gate"),
    ...list(glimpses.length, "glimpse"),
    ...(image ? ["an image"] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : "nothing";
}

export function chooseLayer(op: string, view: View, trace: Trace, given: DrawOptions["layer"]): TraceLayer {
  const layers = needLayers(op, view, trace);
  return layers[within(op, "layer", single(op, view, "layer", given) ?? 0, layers.length, "the trace")]!;
}

/** The layer and head of a view that shows one. */
export function chooseHead(op: string, view: View, trace: Trace, options: DrawOptions): ChosenHead {
  const layer = chooseLayer(op, view, trace, options.layer);
  const head = within(op, "head", single(op, view, "head", options.head) ?? 0, layer.H, layer.name);
  return { layer, head, map: mapOf(layer, options) };
}

/** The map of a layer, by what the options have that is faster than plain loops. */
export function mapOf(layer: TraceLayer, { computer }: Pick<DrawOptions, "computer">): AttentionMap {
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

/** Weights as the pictures take them: NaN where a cell is not finite, and a mask where any is hidden. */
export function weightsOf({ values, kinds }: Cells) {
  const weights = Float32Array.from(values, (value, cell) =>
    kinds[cell] === NOT_FINITE ? Number.NaN : value,
  );
  if (!kinds.includes(MASKED)) return { weights };
  return { weights, mask: kinds.map((kind) => Number(kind !== MASKED)) };
}

/** A head as a heat map's data, with a note where it had to be pooled. */
export function headData(trace: Trace, { layer, head, map }: ChosenHead, most?: number) {
  const { cells, factor } = headCells(map, head, most);
  const { rowTokens, columnTokens } = tokensOf(trace, layer);
  const data: HeatmapData = {
    ...weightsOf(cells),
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
export function unpooledData(op: string, view: View, trace: Trace, chosen: ChosenHead): HeatmapData {
  const { T, S, name } = chosen.layer;
  if (Math.max(T, S) > MOST_TOKENS) {
    const rule = `have at most ${MOST_TOKENS} tokens a side for the view ${view}`;
    refuse(op, name, rule, `${T} × ${S}`, "choose the view heatmap, which pools");
  }
  return { ...weightsOf(chosen.map.rows(chosen.head, 0, T)), ...tokensOf(trace, chosen.layer) };
}
