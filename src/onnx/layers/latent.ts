import { ropeFrequencies } from "../../attention/position/rope-frequencies.ts";
import type { Value } from "../format/graph.ts";
import { concat, joinHeads, range, sizeOf, splitHeads } from "../format/operations.ts";
import { rmsNorm } from "../norm.ts";
import { rotate, turns } from "../positions.ts";
import { heads, ofKeys } from "./attentions.ts";
import { type LayerRule, linear, zeroHidden } from "./call.ts";
import { maskedAttention } from "./masked-attention.ts";

/** ε of the norms of latents, and the base of the rotation: those of the layer, which has no fields for them. */
const EPSILON = 1e-6;
const BASE = 10_000;

export const multiHeadLatentRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value, mask } = inputs[0]!;
  const x = zeroHidden(graph, value, mask);
  const {
    numHeads: H,
    keyDim: D,
    valueDim: Dv = D,
    ropeDim: Dr = 0,
  } = config as {
    numHeads: number;
    keyDim: number;
    valueDim?: number;
    ropeDim?: number;
  };
  const normed = (y: Value, name: string) =>
    use.has(`${name}/gamma`) ? rmsNorm(graph, y, use.weight(`${name}/gamma`), EPSILON) : y;
  const latent = normed(linear(use, "latent", x), "latent_norm");
  const asking = use.has("query_latent/kernel")
    ? normed(linear(use, "query_latent", x), "query_latent_norm")
    : x;
  let q = heads(use, "query", asking, H, D);
  let k = heads(use, "key", latent, H, D);
  if (Dr > 0) {
    const { frequencies } = ropeFrequencies(Dr, { base: BASE });
    const positions = range(graph, graph.ints([0]), sizeOf(graph, x, 1));
    const angles = turns(graph, positions, frequencies, { name: `rotation of ${BASE} and ${Dr}` });
    const placed = heads(use, "query_position", asking, H, Dr);
    q = concat(graph, [q, rotate(graph, placed, angles, Dr, Dr)], 3);
    // One key for all heads.
    const shared = rotate(graph, splitHeads(graph, linear(use, "key_position", x), 1, Dr), angles, Dr, Dr);
    k = concat(graph, [k, graph.op("Tile", [shared, graph.ints([1, H, 1, 1])])], 3);
  }
  const given = { q, k, v: heads(use, "value", latent, H, Dv), H, Hkv: H, Dv, scale: (D + Dr) ** -0.5 };
  const seen = { allow: ofKeys(use, mask), causal: config.useCausalMask === true };
  const rows = joinHeads(graph, maskedAttention(graph, given, seen, false) as Value, H, Dv);
  return linear(use, "attention_output", zeroHidden(graph, rows, mask));
};
