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
import { titled } from "./layers.ts";
import { drawMap, showMap } from "./map.ts";
import { refuse } from "./named.ts";
import { type PictureOptions, single, THROUGH, type Through, within } from "./options.ts";
import type { ViewRecord } from "./view.ts";

/** Of a page: rollout multiplies S × S maps, which would take minutes. */
const MOST_ON_PAGE = 256;

/** One way through the layers of a stack. */
interface Way {
  /** Longer inputs would take minutes. */
  readonly mostTokens: number;
  readonly noun: string;
  readonly note: string;
  /** Throws where the layers lack what it needs. */
  join(stack: readonly TraceLayer[]): AttentionMap;
}

const WAYS: Readonly<Record<Through, Way>> = {
  rollout: {
    mostTokens: 1024,
    noun: "rollout",
    note: "Assumes that attention alone mixes positions, equally in all heads, and that the residual connection keeps half.",
    join: (stack) => rollout(mapsOf(stack)).map,
  },
  flow: {
    mostTokens: 64,
    noun: "attention flow",
    note: "The most that can flow to each input, as shares; assumes what rollout assumes.",
    join(stack) {
      const maps = mapsOf(stack);
      const { T, S } = maps[0]!;
      const weights = new Float64Array(T * S);
      for (let t = 0; t < T; t++) weights.set(attentionFlow(maps, t).share, t * S);
      return joined(maps, weights);
    },
  },
  gradient: {
    mostTokens: 1024,
    noun: "gradient relevance",
    note: "What made the number larger whose gradient was taken. Each row without its residual connection, as shares.",
    join(stack) {
      const gradients = stack.map(({ grad, name, index }) => {
        if (grad) return grad.slice();
        const rule = `have the gradient of its weights for the view rollout through gradients: grad.${index} [H, T, S]`;
        return refuse(name, rule, "none", "write it when the trace is made");
      });
      const maps = mapsOf(stack);
      const { weights } = gradientRelevance(maps, gradients);
      const { T, S } = maps[0]!;
      return joined(maps, withoutResidual(weights, T, S));
    },
  },
};

/** Shares [T, S] as a map of one head; where every layer is causal, later inputs are hidden and not just 0. */
function joined(maps: readonly AttentionMap[], weights: Float64Array): AttentionMap {
  const { T, S } = maps[0]!;
  return denseMap({ H: 1, T, S, weights, rowSums: "atMostOne", ...sharedMask(maps) });
}

const mapsOf = (stack: readonly TraceLayer[]) => stack.map((layer) => layerMap(layer));

/** Whether a layer belongs to the stack of the first: the same queries and keys, those its queries or those after a prefix. */
function isOfStack(layer: TraceLayer, { alignQ, alignK }: TraceLayer): boolean {
  const isSelf = alignQ === alignK || layer.maskSpec?.offset === layer.S - layer.T;
  return isSelf && layer.alignQ === alignQ && layer.alignK === alignK;
}

/** How much of each output comes from each input, through all layers up to the chosen one. */
export const rolloutView: ViewRecord<"rollout"> = {
  name: "rollout",
  label: "Rollout",
  title: "Attention rollout",
  caption: "How much of each output comes from each input, through all layers.",
  needs: ["layers"],
  suits: { rule: "have two layers", isMet: ({ layers }) => layers.length > 1 },
  chooses: ["scale", "through"],
  svg(trace, options) {
    const { layer, map, shown, note } = rolledOut(trace, options);
    const { title = titled(trace, shown) } = options;
    return drawMap(trace, { layer, head: 0, map }, { ...options, title, note });
  },
  text(trace, options) {
    const { layer, map, shown } = rolledOut(trace, options);
    const { title = titled(trace, shown) } = options;
    return showMap(trace, { layer, head: 0, map }, { ...options, title });
  },
  cells(trace, options) {
    const { to, map, shown } = rolledOut(trace, options);
    return { layer: trace.layers[to]!, head: 0, map, shown };
  },
  page({ layers }, _, draw) {
    const [first] = layers as readonly [TraceLayer];
    if (!layers.every((layer) => isOfStack(layer, first)) || first.S > MOST_ON_PAGE) return [];
    return [{ caption: rolloutView.caption, svg: draw({ layer: undefined }) }];
  },
};

/** The map through the layers, the last of them, and what it shows. */
function rolledOut({ layers }: Trace, options: PictureOptions) {
  const given = single("rollout", "layer", options.layer);
  const to = within("layer", given ?? layers.length - 1, layers.length, "the trace");
  const { through = "rollout" } = options;
  const way = WAYS[through];
  if (!way) refuse("through", `be one of ${THROUGH.join(", ")}`, String(through), "choose one");
  const stack = layers.slice(0, to + 1);
  const layer = stack[0]!;
  const other = stack.find((one) => !isOfStack(one, layer));
  if (other) {
    const rule = `be self-attention over tokens["${layer.alignQ}"], like all layers of the view rollout`;
    const got = `queries "${other.alignQ}" and keys "${other.alignK}"`;
    refuse(other.name, rule, got, "keep the layers of one stack in a trace");
  }
  if (layer.S > way.mostTokens) {
    const rule = `have at most ${way.mostTokens} tokens for the view rollout${through === "rollout" ? "" : ` through ${through}`}`;
    refuse(layer.name, rule, String(layer.S), "roll out a shorter input");
  }
  const shown = `${way.noun} of ${to === 0 ? "layer 0" : `layers 0 to ${to}`}`;
  return { layer, to, map: way.join(stack), shown, note: way.note };
}
