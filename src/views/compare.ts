import type { Trace } from "../inspect/index.ts";
import { compare } from "../viz/index.ts";
import { axesOf } from "./heatmap.ts";
import { type ChosenHead, headData, mapOf, nameOf, needLayers } from "./layers.ts";
import { type DrawOptions, refuse, within } from "./options.ts";

/** Two heads and their difference: a pair of heads, a pair of layers, or of both. */
export function compareView(op: string, trace: Trace, options: DrawOptions): string {
  const layers = needLayers(op, "compare", trace);
  const layerPair = pair(op, "layer", options.layer ?? 0);
  const first = layers[within(op, "layer", layerPair[0], layers.length, "the trace")]!;
  const sameLayer = layerPair[0] === layerPair[1];
  const headPair = pair(op, "head", options.head ?? (sameLayer && first.H > 1 ? [0, 1] : 0));
  const chosen = ([0, 1] as const).map((n): ChosenHead => {
    const layer = layers[within(op, "layer", layerPair[n], layers.length, "the trace")]!;
    const head = within(op, "head", headPair[n], layer.H, layer.name);
    return { layer, head, map: mapOf(layer, options) };
  }) as [ChosenHead, ChosenHead];
  const [a, b] = chosen;
  if (sameLayer && a.head === b.head) {
    const rule = "be two different maps for the view compare";
    refuse(op, "layer and head", rule, `${nameOf(a)} twice`, "name two heads, such as 0,1, or two layers");
  }
  if (a.layer.T !== b.layer.T || a.layer.S !== b.layer.S) {
    const got = `${a.layer.T} × ${a.layer.S} and ${b.layer.T} × ${b.layer.S}`;
    refuse(op, "the two maps", "have the same size for the view compare", got, "compare others");
  }
  const { palette, theme } = options;
  return compare(headData(trace, a).data, headData(trace, b).data, {
    names: [nameOf(a), sameLayer ? `head ${b.head}` : nameOf(b)],
    ...axesOf(a.layer),
    ...(palette && { palette }),
    ...(theme && { theme }),
  });
}

function pair(op: string, name: string, given: number | readonly number[]): readonly [number, number] {
  if (typeof given === "number") return [given, given];
  if (given.length === 1) return [given[0]!, given[0]!];
  if (given.length === 2) return [given[0]!, given[1]!];
  return refuse(op, name, "be one or two for the view compare", given.join(","), "name two, such as 0,1");
}
