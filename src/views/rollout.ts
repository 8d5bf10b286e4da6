import {
  type AttentionMap,
  attentionFlow,
  denseMap,
  gradientRelevance,
  layerMap,
  rollout,
  type Trace,
  type TraceLayer,
} from "../inspect/index.ts";
import { sharedMask } from "../inspect/relevance/fuse.ts";
import { withoutResidual } from "../inspect/relevance/gradient.ts";
import { drawMap } from "./heatmap.ts";
import { needLayers, titled } from "./layers.ts";
import { type DrawOptions, refuse, single, THROUGH, type Through, within } from "./options.ts";

/** One way through the layers of a stack. */
interface Way {
  /** Longer inputs would take minutes. */
  readonly mostTokens: number;
  readonly noun: string;
  readonly note: string;
  /** Throws where the layers lack what it needs. */
  join(op: string, stack: readonly TraceLayer[]): AttentionMap;
}

const WAYS: Readonly<Record<Through, Way>> = {
  rollout: {
    mostTokens: 1024,
    noun: "rollout",
    note: "Assumes that attention alone mixes positions, equally in all heads, and that the residual connection keeps half.",
    join: (_, stack) => rollout(mapsOf(stack)).map,
  },
  flow: {
    mostTokens: 64,
    noun: "attention flow",
    note: "The most that can flow to each input, as shares; assumes what rollout assumes.",
    join(_, stack) {
      const maps = mapsOf(stack);
      const { T } = maps[0]!;
      const weights = new Float64Array(T * T);
      for (let t = 0; t < T; t++) weights.set(attentionFlow(maps, t).share, t * T);
      return joined(maps, weights);
    },
  },
  gradient: {
    mostTokens: 1024,
    noun: "gradient relevance",
    note: "What made the number larger whose gradient was taken. Each row without its residual connection, as shares.",
    join(op, stack) {
      const gradients = stack.map(({ grad, name, index }) => {
        if (grad) return grad.slice();
        const rule = `have the gradient of its weights for the view rollout through gradients: grad.${index} [H, T, S]`;
        return refuse(op, name, rule, "none", "write it when the trace is made");
      });
      const maps = mapsOf(stack);
      const { weights } = gradientRelevance(maps, gradients);
      return joined(maps, withoutResidual(weights, maps[0]!.T));
    },
  },
};

/** Shares [T, T] as a map of one head; where every layer is causal, later inputs are hidden and not just 0. */
function joined(maps: readonly AttentionMap[], weights: Float64Array): AttentionMap {
  const { T } = maps[0]!;
  return denseMap({ H: 1, T, S: T, weights, rowSums: "atMostOne", ...sharedMask(maps) });
}

const mapsOf = (stack: readonly TraceLayer[]) => stack.map((layer) => layerMap(layer));

/** How much of each output comes from each input, through all layers up to the chosen one. */
export function rolloutView(op: string, trace: Trace, options: DrawOptions): string {
  const { layer, map, shown, note } = rolledOut(op, trace, options);
  const title = options.title ?? titled(trace, shown);
  return drawMap(trace, { layer, head: 0, map }, { ...options, title, note });
}

/** The map through the layers, the last of them, and what it shows. */
export function rolledOut(op: string, trace: Trace, options: DrawOptions) {
  const layers = needLayers(op, "rollout", trace);
  const given = single(op, "rollout", "layer", options.layer);
  const to = within(op, "layer", given ?? layers.length - 1, layers.length, "the trace");
  const { through = "rollout" } = options;
  const way = WAYS[through];
  if (!way) refuse(op, "through", `be one of ${THROUGH.join(", ")}`, String(through), "choose one");
  const stack = layers.slice(0, to + 1);
  const layer = stack[0]!;
  const other = stack.find(({ alignQ, alignK }) => alignQ !== layer.alignQ || alignK !== layer.alignQ);
  if (other) {
    const rule = `be self-attention over tokens["${layer.alignQ}"], like all layers of the view rollout`;
    const got = `queries "${other.alignQ}" and keys "${other.alignK}"`;
    refuse(op, other.name, rule, got, "keep the layers of one stack in a trace");
  }
  if (layer.T > way.mostTokens) {
    const rule = `have at most ${way.mostTokens} tokens for the view rollout${through === "rollout" ? "" : ` through ${through}`}`;
    refuse(op, layer.name, rule, String(layer.T), "roll out a shorter input");
  }
  const shown = `${way.noun} of ${to === 0 ? "layer 0" : `layers 0 to ${to}`}`;
  return { layer, to, map: way.join(op, stack), shown, note: way.note };
}
