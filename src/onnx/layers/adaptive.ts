/** heed's layers of heads that learn how far they look, how sparse they are, or choose one key. */
import { biasOf, scores, weightedSum } from "../attention.ts";
import type { Graph, Value } from "../format/graph.ts";
import { cast, range, sizeOf, unsqueeze } from "../format/operations.ts";
import { both, type LayerRule, type LayerUse } from "./call.ts";
import { type GivenHeads, headLayer } from "./heads.ts";
import { orderMask, weightsOf } from "./masked-attention.ts";

/** Newton's steps to the threshold of entmax, besides the logarithm of the number of keys to the base 2. */
const STEPS = 12;
/** Of α − 1: where its inverse is still a number to multiply by. */
const LEAST = 0.001;
/** A logarithm whose exponential is 0 in float32. */
const LOG_ZERO = -110;
/** Below every sum of a row that is not empty, and every mask that is not 0. */
const TINY = 2 ** -24;

/** What the masks of keys and of order leave. */
const seenBy = ({ graph, config }: LayerUse, { q, k, allow }: GivenHeads) =>
  both(graph, [allow, orderMask(graph, { q, k }, { causal: config.useCausalMask === true })]);

const scoresOf = (graph: Graph, given: GivenHeads) => scores(graph, { ...given, scale: given.D ** -0.5 });

export const adaptiveSpanRule: LayerRule = (use) =>
  headLayer(use, (given) => {
    const { graph, config } = use;
    const op = (type: string, ...inputs: Value[]) => graph.op(type, inputs);
    const { maxSpan, ramp } = config as { maxSpan: number; ramp: number };
    const number = (n: number) => graph.number(n);
    const positions = range(graph, graph.ints([0]), sizeOf(graph, given.q, 2));
    const apart = op("Abs", op("Sub", unsqueeze(graph, positions, 1, 3), unsqueeze(graph, positions, 1, 2)));
    const share = op("Clip", use.weight("span", [1, given.H, 1, 1]), number(0), number(1));
    const reach = op("Add", op("Mul", share, number(maxSpan)), number(ramp));
    const open = op("Div", op("Sub", reach, cast(graph, apart, "float")), number(ramp));
    const mask = op("Clip", open, number(0), number(1));
    const isOpen = op("Greater", mask, number(0));
    // Where it is 0 the key is hidden, whatever its logarithm.
    const logarithm = op("Log", op("Where", isOpen, mask, number(1)));
    const seen = both(graph, [seenBy(use, given), isOpen]);
    const weights = weightsOf(graph, op("Add", scoresOf(graph, given), logarithm), seen);
    return weightedSum(graph, weights, given);
  });

export const adaptivelySparseRule: LayerRule = (use) =>
  headLayer(use, (given) => {
    const { graph } = use;
    const shape = graph.op("Sigmoid", [use.weight("shape", [1, given.H, 1, 1])]);
    const beta = graph.op("Clip", [shape, graph.number(LEAST), graph.number(1)]);
    const seen = seenBy(use, given);
    const products = scoresOf(graph, given);
    const hidden = seen ? graph.op("Add", [products, biasOf(graph, seen)]) : products;
    const weights = entmax(graph, hidden, beta, given.H);
    const shown = seen ? graph.op("Where", [seen, weights, graph.number(0)]) : weights;
    return weightedSum(graph, shown, given);
  });

/**
 * [1 + β(z − λ)]₊^{1/β} with λ such that each row sums to 1, β = α − 1, of scores whose largest in a row becomes 0. The sum is
 * convex in λ, so that Newton's steps from λ = 0 stay below the root.
 */
function entmax(graph: Graph, x: Value, beta: Value, H: number): Value {
  const z = graph.op("Sub", [x, graph.op("ReduceMax", [x, graph.ints([-1])])]);
  const weigh = (within: Graph, threshold: Value) => {
    const op = (type: string, ...inputs: Value[]) => within.op(type, inputs);
    const above = op("Max", op("Mul", op("Sub", z, threshold), beta), within.number(-1));
    // β times the logarithm of the weights.
    const logs = op("Max", log1p(within, above), within.number(LOG_ZERO));
    const weights = op("Exp", op("Div", logs, beta));
    return { logs, weights, sum: op("ReduceSum", weights, within.ints([-1])) };
  };
  const power = graph.op("Div", [graph.op("Sub", [graph.number(1), beta]), beta]);
  const first = graph.op("Mul", [graph.op("ReduceMax", [z, graph.ints([-1])]), graph.number(0)]);
  const keys = cast(graph, graph.op("Squeeze", [sizeOf(graph, x, 3), graph.ints([0])]), "float");
  const doublings = graph.op("Ceil", [graph.op("Mul", [graph.op("Log", [keys]), graph.number(Math.LOG2E)])]);
  const count = cast(graph, graph.op("Add", [doublings, graph.number(STEPS)]), "int64");
  const start = { value: first, shape: ["batch", H, "queries", 1] };
  const threshold = graph.repeat(count, start, (step, before) => {
    const op = (type: string, ...inputs: Value[]) => step.op(type, inputs);
    const { logs, weights, sum } = weigh(step, before);
    const isThere = cast(step, op("Greater", weights, step.number(0)), "float");
    const slopes = op("Mul", op("Exp", op("Mul", logs, power)), isThere);
    const slope = op("Max", op("ReduceSum", slopes, step.ints([-1])), step.number(TINY));
    const excess = op("Relu", op("Sub", sum, step.number(1)));
    return op("Add", before, op("Div", excess, slope));
  });
  const { weights, sum } = weigh(graph, threshold);
  return graph.op("Div", [weights, graph.op("Max", [sum, graph.number(TINY)])]);
}

/** ln(1 + x), exact for small x: ONNX has the logarithm alone, and what 1 + x loses is known. */
function log1p(graph: Graph, x: Value): Value {
  const op = (type: string, ...inputs: Value[]) => graph.op(type, inputs);
  const sum = op("Add", x, graph.number(1));
  const kept = op("Sub", sum, graph.number(1));
  const isLost = op("Equal", kept, graph.number(0));
  const ratio = op("Div", op("Mul", op("Log", sum), x), op("Where", isLost, graph.number(1), kept));
  return op("Where", isLost, x, ratio);
}

export const hardAttentionRule: LayerRule = (use) =>
  headLayer(use, (given) => {
    const { graph } = use;
    const seen = seenBy(use, given);
    const products = scoresOf(graph, given);
    const hidden = seen ? graph.op("Add", [products, biasOf(graph, seen)]) : products;
    const best = graph.op("ArgMax", [hidden], { axis: -1 });
    const keys = range(graph, graph.ints([0]), sizeOf(graph, given.k, 2));
    const isBest = graph.op("Equal", [unsqueeze(graph, keys, 0, 1), best]);
    const weights = cast(graph, both(graph, [isBest, seen])!, "float");
    return weightedSum(graph, weights, given);
  });
