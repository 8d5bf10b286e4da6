/** Slots that compete for the elements of a set. */
import type { Value } from "../format/graph.ts";
import { cast, reshape, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { layerNorm } from "../norm.ts";
import { normalNumbers } from "../random.ts";
import { type LayerRule, type LayerUse, linear, zeroHidden } from "./call.ts";

/** ε of the norms, and of the weighted mean. */
const NORM_EPSILON = 1e-5;
const MEAN_EPSILON = 1e-8;

/** What the slots begin with, for every example another: [B, T, C]. */
function firstSlots({ graph, config, seed, weight }: LayerUse, x: Value): Value {
  const { slots: T, slotDim: C } = config as { slots: number; slotDim: number };
  const count = graph.op("Mul", [sizeOf(graph, x, 0), graph.ints([T * C])]);
  const noise = reshape(graph, normalNumbers(graph, seed!, count), [-1, T, C]);
  const spread = graph.op("Mul", [noise, graph.op("Exp", [weight("slot_log_deviation")])]);
  return graph.op("Add", [weight("slot_mean"), spread]);
}

/** One step of the unit of every slot, gates in the order r, z, n. */
function recur(use: LayerUse, update: Value, slots: Value): Value {
  const op = (type: string, ...inputs: Value[]) => use.graph.op(type, inputs);
  const parts = (x: Value) =>
    use.graph.ops("Split", [x], 3, { axis: 2, num_outputs: 3 }) as [Value, Value, Value];
  const [xr, xz, xn] = parts(linear(use, "gru/input", update));
  const [ur, uz, un] = parts(linear(use, "gru/hidden", slots));
  const [r, z] = [op("Sigmoid", op("Add", xr, ur)), op("Sigmoid", op("Add", xz, uz))];
  const n = op("Tanh", op("Add", xn, op("Mul", r, un)));
  return op("Add", n, op("Mul", z, op("Sub", slots, n)));
}

export const slotAttentionRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value, mask } = inputs[0]!;
  const op = (type: string, ...given: Value[]) => graph.op(type, given);
  const norm = (name: string, x: Value) =>
    layerNorm(
      graph,
      x,
      { gamma: use.weight(`${name}/gamma`), beta: use.weight(`${name}/beta`) },
      NORM_EPSILON,
    );
  const { slotDim: C, iterations } = config as { slotDim: number; iterations: number };
  const set = norm("input_norm", zeroHidden(graph, value, mask));
  const shown = mask && cast(graph, unsqueeze(graph, mask, 2), "float");
  const there = (x: Value) => (shown ? op("Mul", x, shown) : x);
  const keys = op("Mul", op("MatMul", set, use.weight("key/kernel")), graph.number(C ** -0.5));
  const values = op("MatMul", set, use.weight("value/kernel"));
  let slots = firstSlots(use, value);
  let weights: Value;
  for (let n = 0; n < iterations; n++) {
    const queries = op("MatMul", norm("slot_norm", slots), use.weight("query/kernel"));
    // Elements first: the softmax is over the slots. [B, S, T]
    const shares = graph.op("Softmax", [op("MatMul", keys, transpose(graph, queries, [0, 2, 1]))], {
      axis: -1,
    });
    weights = there(shares);
    const counted = there(op("Add", shares, graph.number(MEAN_EPSILON)));
    const all = transpose(graph, op("ReduceSum", counted, graph.ints([1])), [0, 2, 1]);
    // A set without elements has no mean.
    const divisor = op("Where", op("Greater", all, graph.number(0)), all, graph.number(1));
    const update = op("Div", op("MatMul", transpose(graph, counted, [0, 2, 1]), values), divisor);
    const held = recur(use, update, slots);
    const inner = op("Relu", linear(use, "intermediate", norm("feedforward_norm", held)));
    slots = op("Add", held, linear(use, "output", inner));
  }
  const seen = config.returnAttention ? [transpose(graph, weights!, [0, 2, 1])] : [];
  return { outputs: [slots, ...seen], mask: null };
};
