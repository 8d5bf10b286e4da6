/** heed's layers of linear attention, whose weights are products that may be negative or fade. */
import { scores, weightedSum } from "../attention.ts";
import type { Graph, Value } from "../format/graph.ts";
import { cast, concat, range, reshape, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { layerNorm, rmsNorm } from "../norm.ts";
import { rotateNeighbours, turns } from "../positions.ts";
import { heads } from "./attentions.ts";
import { affine, both, type LayerRule, type LayerUse, zeroHidden } from "./call.ts";
import { type GivenHeads, headLayer } from "./heads.ts";
import { maskedAttention, orderMask } from "./masked-attention.ts";

/** Sums of weights below this are none. */
const LEAST = 1e-37;
/** ε of the norm of a head, and under the roots of lengths. */
const RETENTION_EPSILON = 1e-5;
const DELTA_EPSILON = 1e-6;
/** Exponent at which the random features of keys stop. */
const LARGEST = 80;

const times = (graph: Graph, a: Value, b: Value) => graph.op("Mul", [a, b]);
const silu = (graph: Graph, x: Value) => times(graph, x, graph.op("Sigmoid", [x]));

/** Products of features as weights, which sum to 1 where something is seen: [B, H, T, Dv]. */
function featureAttention(use: LayerUse, given: GivenHeads, features: { q: Value; k: Value }): Value {
  const { graph, config } = use;
  const { q, k, v, H, Hkv, Dv, allow } = given;
  const causal = config.useCausalMask === true;
  const seen = both(graph, [allow, orderMask(graph, { q, k }, { causal })]);
  const products = scores(graph, { ...features, v, H, Hkv, Dv, scale: 1 });
  const weights = seen ? graph.op("Where", [seen, products, graph.number(0)]) : products;
  const sums = graph.op("ReduceSum", [weights, graph.ints([-1])]);
  // Where nothing is seen both are 0, and so is what is divided.
  const shares = graph.op("Div", [weights, graph.op("Max", [sums, graph.number(LEAST)])]);
  return weightedSum(graph, shares, given);
}

export const linearAttentionRule: LayerRule = (use) =>
  headLayer(use, (given) => {
    const { graph } = use;
    const features = (x: Value) => {
      const below = graph.op("Exp", [graph.op("Min", [x, graph.number(0)])]);
      return graph.op("Add", [graph.op("Relu", [x]), below]);
    };
    return featureAttention(use, given, { q: features(given.q), k: features(given.k) });
  });

export const performerRule: LayerRule = (use) =>
  headLayer(use, (given) => {
    const { graph } = use;
    const [m, D] = use.shapeOf("features") as [number, number];
    const directions = transpose(graph, use.weight("features"), [1, 0]);
    const exponents = (x: Value) => {
      const scaled = times(graph, x, graph.number(D ** -0.25));
      const squares = graph.op("ReduceSum", [times(graph, scaled, scaled), graph.ints([-1])]);
      return graph.op("Sub", [
        graph.op("MatMul", [scaled, directions]),
        times(graph, squares, graph.number(0.5)),
      ]);
    };
    const features = (e: Value) => times(graph, graph.op("Exp", [e]), graph.number(m ** -0.5));
    const asked = exponents(given.q);
    const largest = graph.op("ReduceMax", [asked, graph.ints([-1])]);
    return featureAttention(use, given, {
      q: features(graph.op("Sub", [asked, largest])),
      k: features(graph.op("Min", [exponents(given.k), graph.number(LARGEST)])),
    });
  });

export const linformerRule: LayerRule = (use) =>
  headLayer(use, ({ q, k, v, H, Hkv, D, Dv, visible, allow }) => {
    const { graph } = use;
    const [, r] = use.shapeOf("key_mixtures") as [number, number];
    // The first rows serve a sequence that is shorter than they are for.
    const mixed = (x: Value, name: string) => {
      const zero = graph.ints([0]);
      const rows = graph.op("Slice", [use.weight(name), zero, sizeOf(graph, x, 2), zero]);
      const shown = zeroHidden(graph, x, visible, [1, 3]);
      return transpose(
        graph,
        graph.op("MatMul", [transpose(graph, shown, [0, 1, 3, 2]), rows]),
        [0, 1, 3, 2],
      );
    };
    const keys = mixed(k, "key_mixtures");
    const values = mixed(v, use.has("value_mixtures") ? "value_mixtures" : "key_mixtures");
    const any = allow && graph.op("ReduceMax", [cast(graph, allow, "float"), graph.ints([3])]);
    const seen = any && graph.op("Expand", [cast(graph, any, "bool"), graph.ints([1, 1, 1, r])]);
    const mixtures = { q, k: keys, v: values, H, Hkv, Dv, scale: D ** -0.5 };
    return maskedAttention(graph, mixtures, { allow: seen }, false) as Value;
  });

/** Steps from each key to each query, and 0 to those behind it: float [1, 1, T, T]. */
function stepsBetween({ graph }: LayerUse, x: Value): Value {
  const positions = range(graph, graph.ints([0]), sizeOf(graph, x, 2));
  const apart = graph.op("Sub", [unsqueeze(graph, positions, 1, 3), unsqueeze(graph, positions, 1, 2)]);
  return cast(graph, graph.op("Max", [apart, graph.ints([0], [])]), "float");
}

/** Heads turned by their positions, neighbouring channels by one angle: xPos' rotation. */
function turnedPairs({ graph }: LayerUse, x: Value, D: number): Value {
  const frequencies = Float64Array.from({ length: D / 2 }, (_, i) => 10_000 ** ((-2 * i) / D));
  const positions = range(graph, graph.ints([0]), sizeOf(graph, x, 2));
  const angles = turns(graph, positions, frequencies, { name: `xpos of ${D}` });
  return rotateNeighbours(graph, x, angles, D, D);
}

export const retentionRule: LayerRule = (use) =>
  headLayer(use, ({ q, k, v, H, Hkv, D, Dv, query, allow }) => {
    const { graph, config } = use;
    const turned = (x: Value) => (config.xpos ? turnedPairs(use, x, D) : x);
    const decays = Array.from({ length: H }, (_, h) => Math.log(1 - 2 ** (-5 - Math.floor((h * Hkv) / H))));
    const fading = graph.op("Exp", [times(graph, stepsBetween(use, q), graph.floats(decays, [1, H, 1, 1]))]);
    const given = { q: turned(q), k: turned(k), v, H, Hkv, Dv, scale: D ** -0.5 };
    const seen = both(graph, [allow, orderMask(graph, { q, k }, { causal: true })])!;
    const weights = graph.op("Where", [seen, times(graph, scores(graph, given), fading), graph.number(0)]);
    const gamma = graph.floats(new Float32Array(Dv).fill(1));
    const normal = layerNorm(graph, weightedSum(graph, weights, given), { gamma }, RETENTION_EPSILON);
    return times(graph, silu(graph, heads(use, "gate", query, H, Dv)), normal);
  });

export const gatedDeltaRule: LayerRule = (use) =>
  headLayer(use, (given) => {
    const { graph } = use;
    const { H, Dv, query } = given;
    const read = deltaRule(use, given);
    const normal = rmsNorm(graph, read, use.weight("norm/gamma"), DELTA_EPSILON);
    return times(graph, silu(graph, heads(use, "gate", query, H, Dv)), normal);
  });

/** S_t = e^g S + β k (v − e^g Sᵀk)ᵀ from S = 0, read by the queries: [B, H, T, Dv]. A hidden step has β = 0 and g = 0. */
function deltaRule(use: LayerUse, { q, k, v, H, Hkv, D, Dv, query, visible }: GivenHeads): Value {
  const { graph } = use;
  const G = H / Hkv;
  const unit = (x: Value) => {
    const squares = graph.op("ReduceSum", [times(graph, x, x), graph.ints([-1])]);
    const length = graph.op("Sqrt", [graph.op("Add", [squares, graph.number(DELTA_EPSILON)])]);
    return graph.op("Div", [x, length]);
  };
  const asked = times(graph, unit(silu(graph, q)), graph.number(D ** -0.5));
  const shown = (x: Value) => zeroHidden(graph, x, visible, [1, 3]);
  // One number for each step of a head: [B, Hkv, T, 1].
  const gate = (x: Value) => shown(unsqueeze(graph, transpose(graph, x, [0, 2, 1]), 3));
  const beta = gate(graph.op("Sigmoid", [graph.op("MatMul", [query, use.weight("beta/kernel")])]));
  const over = [
    { value: reshape(graph, asked, [0, Hkv, G, -1, D]), shape: ["batch", Hkv, G, D] },
    { value: unsqueeze(graph, unit(silu(graph, k)), 2), shape: ["batch", Hkv, 1, D] },
    { value: unsqueeze(graph, silu(graph, v), 2), shape: ["batch", Hkv, 1, Dv] },
    { value: unsqueeze(graph, beta, 2), shape: ["batch", Hkv, 1, 1] },
  ];
  if (use.has("decay/kernel")) {
    const pace = graph.op("Softplus", [affine(use, query, "decay/kernel", "decay/bias")]);
    const rate = graph.op("Exp", [use.weight("decay/log_rate")]);
    const decay = graph.op("Exp", [gate(graph.op("Neg", [times(graph, pace, rate)]))]);
    over.push({ value: unsqueeze(graph, decay, 2), shape: ["batch", Hkv, 1, 1] });
  }
  const size = concat(graph, [sizeOf(graph, q, 0), graph.ints([Hkv, D, Dv])], 0);
  const empty = { value: graph.op("Expand", [graph.number(0), size]), shape: ["batch", Hkv, D, Dv] };
  const { kept } = graph.scan(
    { states: [empty], over, kept: ["batch", Hkv, G, Dv], axis: 3 },
    (step, [state], slices) => {
      const [query, key, value, share, decay] = slices as [Value, Value, Value, Value, Value?];
      const faded = decay ? times(step, state!, decay) : state!;
      const missing = step.op("Sub", [value, step.op("MatMul", [key, faded])]);
      const written = step.op("MatMul", [transpose(step, key, [0, 1, 3, 2]), times(step, missing, share)]);
      const next = step.op("Add", [faded, written]);
      const output = step.op("MatMul", [query, next]);
      return { states: [next], kept: output };
    },
  );
  return reshape(graph, kept, [0, H, -1, Dv]);
}
