import { layerMap, rollout, type Trace } from "../inspect/index.ts";
import { drawMap } from "./heatmap.ts";
import { needLayers, titled } from "./layers.ts";
import { type DrawOptions, refuse, single, within } from "./options.ts";

/** Rollout multiplies T × T matrices; longer inputs would take minutes. */
const MOST_TOKENS = 1024;

/** How much of each output comes from each input, through all layers up to the chosen one. */
export function rolloutView(op: string, trace: Trace, options: DrawOptions): string {
  const { layer, map, to } = rolledOut(op, trace, options);
  const note =
    "Assumes that attention alone mixes positions, equally in all heads, and that the residual connection keeps half.";
  const title =
    options.title ?? titled(trace, to === 0 ? "rollout of layer 0" : `rollout of layers 0 to ${to}`);
  return drawMap(trace, { layer, head: 0, map }, { ...options, title, note });
}

/** The rolled-out map, and the last of its layers. */
export function rolledOut(op: string, trace: Trace, options: DrawOptions) {
  const layers = needLayers(op, "rollout", trace);
  const given = single(op, "rollout", "layer", options.layer);
  const to = within(op, "layer", given ?? layers.length - 1, layers.length, "the trace");
  const stack = layers.slice(0, to + 1);
  const layer = stack[0]!;
  const other = stack.find(({ alignQ, alignK }) => alignQ !== layer.alignQ || alignK !== layer.alignQ);
  if (other) {
    const rule = `be self-attention over tokens["${layer.alignQ}"], like all layers of the view rollout`;
    const got = `queries "${other.alignQ}" and keys "${other.alignK}"`;
    refuse(op, other.name, rule, got, "keep the layers of one stack in a trace");
  }
  if (layer.T > MOST_TOKENS) {
    const rule = `have at most ${MOST_TOKENS} tokens for the view rollout`;
    refuse(op, layer.name, rule, String(layer.T), "roll out a shorter input");
  }
  return { layer, to, map: rollout(stack.map((one) => layerMap(one))).map };
}
