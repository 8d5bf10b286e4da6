/** Recurrent layers, as loops over their steps. */
import { activationOf } from "../activations.ts";
import type { Graph, Value } from "../format/graph.ts";
import { concat, sizeOf, unsqueeze } from "../format/operations.ts";
import { affine, type LayerRule, type LayerUse, type Made, unsayable, zeroHidden } from "./call.ts";

/** The states after a step, of what its input gives to the gates and the states before it; the first is the output. */
type Step = (graph: Graph, gates: Value, states: readonly Value[]) => Value[];

/** A layer of so many states of one width. A step whose mask is false leaves them as they are. */
function recurrent(use: LayerUse, gates: Value, count: number, step: Step): Made {
  const { graph, config, inputs, op } = use;
  if (config.stateful) throw unsayable(op, "in ONNX stateful must be false", "true");
  const [{ mask }, ...given] = inputs as [(typeof inputs)[0], ...typeof inputs];
  const U = config.units as number;
  const [, columns] = use.shapeOf("kernel") as [number, number];
  const size = concat(graph, [sizeOf(graph, gates, 0), graph.ints([U])], 0);
  const zeros = () => graph.op("Expand", [graph.number(0), size]);
  const states = Array.from({ length: count }, (_, n) => ({
    value: given[n]?.value ?? zeros(),
    shape: ["batch", U],
  }));
  const over = [
    { value: gates, shape: ["batch", columns] },
    ...(mask ? [{ value: unsqueeze(graph, mask, 2), shape: ["batch", 1], type: "bool" as const }] : []),
  ];
  const made = graph.scan(
    { states, over, kept: ["batch", U], axis: 1, isBackward: config.goBackwards === true },
    (body, before, [slice, isThere]) => {
      const after = step(body, slice!, before);
      const next = isThere ? after.map((state, n) => body.op("Where", [isThere, state, before[n]!])) : after;
      return { states: next, kept: next[0]! };
    },
  );
  const output = config.returnSequences ? made.kept : made.states[0]!;
  return {
    outputs: config.returnState ? [output, ...made.states] : [output],
    mask: config.returnSequences ? (mask ?? null) : null,
  };
}

/** What the inputs of all steps give to the gates: x·W + b, [B, T, N·U]. */
const gatesOf = (use: LayerUse): Value => affine(use, use.inputs[0]!.value, "kernel", "bias");

/** The gates of one step, U columns each. */
const parts = (graph: Graph, gates: Value, count: number): Value[] =>
  graph.ops("Split", [gates], count, { axis: 1, num_outputs: count });

const product = (use: LayerUse, graph: Graph, state: Value): Value =>
  graph.op("MatMul", [state, use.weight("recurrent_kernel")]);

/** (1 − z) ⊙ n + z ⊙ h */
function mixed(graph: Graph, z: Value, n: Value, h: Value): Value {
  return graph.op("Add", [n, graph.op("Mul", [z, graph.op("Sub", [h, n])])]);
}

export const simpleRnnRule: LayerRule = (use) => {
  const activate = activationOf(use.op, use.config.activation);
  return recurrent(use, gatesOf(use), 1, (graph, gates, [h]) => [
    activate(graph, graph.op("Add", [gates, product(use, graph, h!)])),
  ]);
};

export const lstmRule: LayerRule = (use) => {
  const activate = activationOf(use.op, use.config.activation);
  const gate = activationOf(use.op, use.config.recurrentActivation);
  return recurrent(use, gatesOf(use), 2, (graph, gates, [h, c]) => {
    const sums = graph.op("Add", [gates, product(use, graph, h!)]);
    const [i, f, n, o] = parts(graph, sums, 4) as [Value, Value, Value, Value];
    const times = (a: Value, b: Value) => graph.op("Mul", [a, b]);
    const kept = times(gate(graph, f), c!);
    const memory = graph.op("Add", [kept, times(gate(graph, i), activate(graph, n))]);
    return [times(gate(graph, o), activate(graph, memory)), memory];
  });
};

/** TensorFlow.js' GRU, whose reset gate works before the product with the state. */
export const gruRule: LayerRule = (use) => {
  const activate = activationOf(use.op, use.config.activation);
  const gate = activationOf(use.op, use.config.recurrentActivation);
  const U = use.config.units as number;
  const sizes = use.graph.ints([2 * U, U]);
  const split = (graph: Graph, x: Value) => graph.ops("Split", [x, sizes], 2, { axis: 1 }) as [Value, Value];
  const [both, last] = split(use.graph, use.weight("recurrent_kernel"));
  return recurrent(use, gatesOf(use), 1, (graph, gates, [h]) => {
    const [given, own] = split(graph, gates);
    const sums = gate(graph, graph.op("Add", [given, graph.op("MatMul", [h!, both])]));
    const [z, r] = parts(graph, sums, 2) as [Value, Value];
    const read = graph.op("MatMul", [graph.op("Mul", [r, h!]), last]);
    return [mixed(graph, z, activate(graph, graph.op("Add", [own, read])), h!)];
  });
};

/** Keras' GRU, whose reset gate works after the product with the state; its bias has a row for each of the two. */
export const resetAfterGruRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const [, columns] = use.shapeOf("kernel") as [number, number];
  const row = (n: number) =>
    use.has("bias") &&
    graph.weight(`${use.name}/bias/${n}`, [columns], () =>
      use.values("bias").slice(n * columns, (n + 1) * columns),
    );
  const plus = (target: Graph, x: Value, bias: Value | false) => (bias ? target.op("Add", [x, bias]) : x);
  const gates = plus(graph, graph.op("MatMul", [inputs[0]!.value, use.weight("kernel")]), row(0));
  return recurrent(use, gates, 1, (body, slice, [h]) => {
    const [xz, xr, xn] = parts(body, slice, 3) as [Value, Value, Value];
    const [uz, ur, un] = parts(body, plus(body, product(use, body, h!), row(1)), 3) as [Value, Value, Value];
    const sigmoid = (a: Value, b: Value) => body.op("Sigmoid", [body.op("Add", [a, b])]);
    const z = sigmoid(xz, uz);
    const n = body.op("Tanh", [body.op("Add", [xn, body.op("Mul", [sigmoid(xr, ur), un])])]);
    return [mixed(body, z, n, h!)];
  });
};

const RULES: Readonly<Record<string, LayerRule>> = {
  GRU: gruRule,
  LSTM: lstmRule,
  ResetAfterGRU: resetAfterGruRule,
  SimpleRNN: simpleRnnRule,
};

/** How the two directions become one. */
const MERGES: Readonly<Record<string, (graph: Graph, a: Value, b: Value) => Value>> = {
  concat: (graph, a, b) => concat(graph, [a, b], -1),
  sum: (graph, a, b) => graph.op("Add", [a, b]),
  ave: (graph, a, b) => graph.op("Mean", [a, b]),
  mul: (graph, a, b) => graph.op("Mul", [a, b]),
};

export const bidirectionalRule: LayerRule = (use) => {
  const { graph, config, inputs, op } = use;
  const { mask } = inputs[0]!;
  const rest = (inputs.length - 1) / 2;
  const [forward, backward] = ["forwardLayer", "backwardLayer"].map((field, n) => {
    const own = [inputs[0]!, ...inputs.slice(1 + n * rest, 1 + (n + 1) * rest)];
    const layer = use.within(field, own);
    const rule = RULES[layer.op];
    if (!rule)
      throw unsayable(op, `in ONNX its layer must be one of ${Object.keys(RULES).join(", ")}`, layer.op);
    const { outputs } = rule(layer) as Made;
    return { outputs, isSequence: layer.config.returnSequences === true };
  }) as [{ outputs: readonly Value[]; isSequence: boolean }, { outputs: readonly Value[] }];
  const [there, ...states] = forward.outputs;
  const [back, ...others] = backward.outputs;
  // The steps of the way back in the order of the input.
  const turned = forward.isSequence ? reversed(graph, back!) : back!;
  const merge = MERGES[String(config.mergeMode)];
  const outputs = (merge ? [merge(graph, there!, turned)] : [there!, turned]).map((x) =>
    forward.isSequence ? zeroHidden(graph, x, mask) : x,
  );
  return { outputs: [...outputs, ...states, ...others], mask: forward.isSequence ? (mask ?? null) : null };
};

/** x [B, T, C] with its last step first. */
function reversed(graph: Graph, x: Value): Value {
  const one = (n: number) => graph.ints([n]);
  return graph.op("Slice", [x, one(-1), one(Number.MIN_SAFE_INTEGER), one(1), one(-1)]);
}
