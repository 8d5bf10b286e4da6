/** The numbers of core/random.ts, made by the graph itself: a file does not know how many a call needs. */
import { QUANTILE } from "../core/inverse-normal.ts";
import { PHILOX, words } from "../core/random.ts";
import type { Graph, Value } from "./format/graph.ts";
import { cast, concat, range, reshape, transpose, unsqueeze } from "./format/operations.ts";

const HALF = 2 ** 16;
const WORD = 2 ** 32;
/** Of a number's 32 bits, those that a uniform number leaves out. */
const LEFT_OUT = 2 ** 8;

/**
 * The first n numbers of `RandomStream(seed)`, of 32 bits: int64 [n], of n int64 [1].
 *
 * A block's counter has four words, of which the first and third are multiplied: both stand in one value [2, blocks], the
 * second and fourth in another.
 */
export function randomBits(graph: Graph, seed: number, n: Value): Value {
  const op = (type: string, ...inputs: (Value | number)[]) =>
    graph.op(
      type,
      inputs.map((input) => (typeof input === "number" ? graph.ints([input]) : input)),
    );
  const pair = (numbers: readonly number[]) => graph.ints(numbers, [2, 1]);
  const swapped = (x: Value) => graph.op("Gather", [x, graph.ints([1, 0])], { axis: 0 });
  const block = range(graph, graph.ints([0]), op("Div", op("Add", n, 3), 4));
  const none = op("Mul", block, 0);
  const key = words(seed);
  let multiplied = concat(graph, [op("Mod", block, WORD), none], 0);
  let others = concat(graph, [op("Div", block, WORD), none], 0);
  for (let round = 0; round < PHILOX.rounds; round++) {
    // 64 bits of a product by halves of one factor, since int64 has 63.
    const lower = op("Mul", op("Mod", multiplied, HALF), pair(PHILOX.multipliers));
    const upper = op("Mul", op("Div", multiplied, HALF), pair(PHILOX.multipliers));
    const above = op("Add", upper, op("Div", lower, HALF));
    const low = op("Add", op("Mul", op("Mod", above, HALF), HALF), op("Mod", lower, HALF));
    const keys = pair(key.map((word, at) => (word + round * PHILOX.weyl[at]!) % WORD));
    multiplied = op("BitwiseXor", op("BitwiseXor", swapped(op("Div", above, HALF)), others), keys);
    others = swapped(low);
  }
  const blocks = concat(graph, [unsqueeze(graph, multiplied, 1), unsqueeze(graph, others, 1)], 1);
  const all = reshape(graph, transpose(graph, blocks, [2, 0, 1]), [-1]);
  return graph.op("Slice", [all, graph.ints([0]), n, graph.ints([0])]);
}

/** The first n normal numbers of `RandomStream(seed)`: float [n], of n int64 [1], to the last digits. */
export function normalNumbers(graph: Graph, seed: number, n: Value): Value {
  const op = (type: string, ...inputs: (Value | number)[]) =>
    graph.op(
      type,
      inputs.map((input) => (typeof input === "number" ? graph.number(input) : input)),
    );
  const { middle, tail, end } = QUANTILE;
  const uniform = graph.op("Div", [randomBits(graph, seed, n), graph.ints([LEFT_OUT])]);
  // 2m + 1 − 2²⁴ is exact in float32, as p = (2m + 1) / 2²⁵ is not.
  const doubled = graph.op("Mul", [uniform, graph.ints([2])]);
  const q = op("Mul", cast(graph, graph.op("Add", [doubled, graph.ints([1 - 2 ** 24])]), "float"), 2 ** -25);
  const size = op("Abs", q);
  const polynomial = (powers: readonly number[], x: Value) =>
    powers.slice(1).reduce<Value | number>((sum, power) => op("Add", op("Mul", sum, x), power), powers[0]!);
  const quotient = (of: { top: readonly number[]; bottom: readonly number[] }, x: Value) =>
    op("Div", polynomial(of.top, x), polynomial(of.bottom, x));
  const inner = op("Mul", q, quotient(middle, op("Sub", middle.square, op("Mul", q, q))));
  const r = op("Sqrt", op("Neg", op("Log", op("Sub", 0.5, size))));
  const outer = op(
    "Where",
    op("LessOrEqual", r, end.from),
    quotient(tail, op("Sub", r, tail.less)),
    quotient(end, op("Sub", r, end.less)),
  );
  return op("Where", op("LessOrEqual", size, middle.within), inner, op("Mul", op("Sign", q), outer));
}
