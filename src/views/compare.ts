import type { Trace } from "../inspect/index.ts";
import { compare } from "../viz/index.ts";
import { type ChosenHead, headData, mapOf, nameOf } from "./layers.ts";
import { axesOf } from "./map.ts";
import { refuse } from "./named.ts";
import { type PictureOptions, within } from "./options.ts";
import { TWO_HEADS, type ViewRecord } from "./view.ts";

/** Two heads and their difference: a pair of heads, a pair of layers, or of both. */
export const compareView: ViewRecord<"compare"> = {
  name: "compare",
  label: "Compare",
  title: "Two heads and their difference",
  caption: "Two heads and their difference, orange for less and purple for more.",
  needs: ["layers"],
  suits: TWO_HEADS,
  chooses: [],
  example: { layer: 1, head: [1, 3] },
  svg(trace, options) {
    const [a, b] = choosePair(trace, options);
    const { palette, theme } = options;
    return compare(headData(trace, a).data, headData(trace, b).data, {
      names: [nameOf(a), a.layer === b.layer ? `head ${b.head}` : nameOf(b)],
      ...axesOf(a.layer),
      ...(palette && { palette }),
      ...(theme && { theme }),
    });
  },
};

function choosePair(trace: Trace, options: PictureOptions): readonly [ChosenHead, ChosenHead] {
  const { layers } = trace;
  const layerPair = pair("layer", options.layer ?? 0);
  const first = layers[within("layer", layerPair[0], layers.length, "the trace")]!;
  const sameLayer = layerPair[0] === layerPair[1];
  const headPair = pair("head", options.head ?? (sameLayer && first.H > 1 ? [0, 1] : 0));
  const choose = (n: 0 | 1): ChosenHead => {
    const layer = layers[within("layer", layerPair[n], layers.length, "the trace")]!;
    const head = within("head", headPair[n], layer.H, layer.name);
    return { layer, head, map: mapOf(layer, options) };
  };
  const [a, b] = [choose(0), choose(1)];
  if (sameLayer && a.head === b.head) {
    const rule = "be two different maps for the view compare";
    refuse("layer and head", rule, `${nameOf(a)} twice`, "name two heads, such as 0,1, or two layers");
  }
  if (a.layer.T !== b.layer.T || a.layer.S !== b.layer.S) {
    const got = `${a.layer.T} × ${a.layer.S} and ${b.layer.T} × ${b.layer.S}`;
    refuse("the two maps", "have the same size for the view compare", got, "compare others");
  }
  return [a, b];
}

function pair(name: string, given: number | readonly number[]): readonly [number, number] {
  if (typeof given === "number") return [given, given];
  if (given.length === 1) return [given[0]!, given[0]!];
  if (given.length === 2) return [given[0]!, given[1]!];
  return refuse(name, "be one or two for the view compare", given.join(","), "name two, such as 0,1");
}
