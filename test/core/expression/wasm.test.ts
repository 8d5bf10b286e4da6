/** The code of expressions: each operation on hard numbers, in both orders of a tile, beside float64. */
import { expect, it } from "vitest";
import { derivative } from "../../../src/core/expression/derivative.ts";
import { Evaluator } from "../../../src/core/expression/evaluate.ts";
import { BINARY, COMPARE, type Node, Nodes, UNARY } from "../../../src/core/expression/nodes.ts";
import { partStarts } from "../../../src/core/expression/wasm/emit.ts";
import { buildModule, CHANGED } from "../../../src/core/expression/wasm/module.ts";

const HARD = [
  ...[0, -0, 1, -1, 0.5, -2.75, 7, 1e-3, 3.5e-39, 88, -103, 12.25, 2 ** 23 + 1, -1e9, 3e38],
  ...[Infinity, Number.NaN, 0.624, 0.626, -0.3, 20, 31],
].map(Math.fround);
const TILE = 4096;
const BLOCK = 1024;
const SLOPE = 8192;
const ROWS = 5;
const LANES = 8;

type Functions = Record<"queries" | "keys" | "slopes", (...args: number[]) => void>;

const reference = {
  shape: [3, LANES],
  dtype: "float32",
  values: Float32Array.from({ length: 24 }, (_, n) => n - 9),
};

/** A score function on a tile of hard numbers: what the code makes of it, and what float64 does. */
function both(nodes: Nodes, score: Node, { keyRows = false } = {}) {
  const tensors = [{ name: "t", rank: 2, hasAllQueries: true, hasAllKeys: true }];
  const bytes = buildModule({ nodes, score, mask: undefined, tensors, learned: [] }, false);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const functions = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
    .exports as unknown as Functions;
  const at = BLOCK + partStarts(tensors).starts.get("t")!;
  const [words, floats] = [new Int32Array(memory.buffer), new Float32Array(memory.buffer)];
  words.set([16384, 0, 2, LANES, LANES - 1, 1], at >>> 2);
  floats.set(reference.values, 16384 >>> 2);
  const tile = Float32Array.from({ length: ROWS * LANES }, (_, n) => HARD[n % HARD.length]!);
  floats.set(tile, TILE >>> 2);
  const call = [BLOCK, 1, 2, 3, 0, TILE, 4 * LANES, ROWS, LANES, CHANGED];
  if (keyRows) functions.keys(...call.with(3, 0).with(4, 3));
  else functions.slopes(...call, SLOPE);
  const slope = derivative(nodes, score, nodes.variable("score"));
  const evaluator = new Evaluator([score, slope], { t: reference });
  const expected = Array.from(tile, (given, n) => {
    const [row, lane] = [3 + Math.floor(n / LANES), n % LANES];
    const place = keyRows ? { q: lane, k: row } : { q: row, k: lane };
    return [...evaluator.run({ score: given, b: 1, h: 2, ...place })];
  });
  const made = (address: number) => Array.from(floats.subarray(address >>> 2, (address >>> 2) + tile.length));
  return { tile, values: made(TILE), slopes: keyRows ? undefined : made(SLOPE), expected };
}

/** Within 4 units in the last place of float32, its range and its subnormals included. */
function isClose(x: number, y: number, absolute = 2 ** -140): boolean {
  const wanted = Math.fround(y);
  if (Object.is(x, wanted) || x === wanted) return true;
  return Math.abs(x - y) <= 2 ** -21 * Math.abs(y) + absolute || (Math.abs(x) > 3e38 && Math.abs(y) > 3e38);
}

function wrong(score: (nodes: Nodes) => Node, keyRows = false): string[] {
  const nodes = new Nodes();
  const { tile, values, slopes, expected } = both(nodes, score(nodes), { keyRows });
  return Array.from(tile, (given, n) => {
    if (!isClose(values[n]!, expected[n]![0]!)) return `f(${given}) is ${values[n]}, not ${expected[n]![0]}`;
    // 1 − tanh² is known to the rounding of 1, as is the slope of `softCap`.
    if (slopes && !isClose(slopes[n]!, expected[n]![1]!, 2 ** -23))
      return `f′(${given}) is ${slopes[n]}, not ${expected[n]![1]}`;
    return "";
  }).filter(Boolean);
}

it.each(UNARY)("%s of hard numbers, with its slope", (op) => {
  expect(wrong((nodes) => nodes.unary(op, nodes.variable("score")))).toEqual([]);
  expect(wrong((nodes) => nodes.unary(op, nodes.variable("score")), true)).toEqual([]);
});

it.each(BINARY.filter((op) => op !== "mod"))("%s of hard numbers and of numbers of rows", (op) => {
  for (const name of ["q", "k", "b", "h"] as const) {
    expect(wrong((nodes) => nodes.binary(op, nodes.variable("score"), nodes.variable(name)))).toEqual([]);
    expect(wrong((nodes) => nodes.binary(op, nodes.variable(name), nodes.variable("score")), true)).toEqual(
      [],
    );
  }
});

it("mod has the sign of its divisor", () => {
  for (const divisor of [3, -4]) {
    const made = (nodes: Nodes) =>
      nodes.binary(
        "mod",
        nodes.binary("sub", nodes.variable("q"), nodes.variable("k")),
        nodes.constant(divisor),
      );
    expect([...wrong(made), ...wrong(made, true)]).toEqual([]);
  }
});

it.each(COMPARE)("%s chooses, with NaN too", (op) => {
  for (const y of [0, 7, Number.NaN, Infinity]) {
    const made = (nodes: Nodes) => {
      const x = nodes.variable("score");
      const compared = nodes.binary(op, x, nodes.constant(y));
      const both = nodes.binary(
        "or",
        nodes.not(compared),
        nodes.binary("less", nodes.variable("k"), nodes.variable("q")),
      );
      return nodes.select(both, nodes.unary("neg", x), nodes.constant(2));
    };
    expect([...wrong(made), ...wrong(made, true)]).toEqual([]);
  }
});

it("gathers along lanes, rows, diagonals and out of range", () => {
  const indices: ((nodes: Nodes) => Node[])[] = [
    (n) => [n.variable("h"), n.variable("k")],
    (n) => [n.variable("b"), n.variable("q")],
    (n) => [n.variable("k"), n.binary("sub", n.variable("q"), n.variable("k"))],
    (n) => [n.variable("score"), n.binary("mul", n.variable("score"), n.constant(0.5))],
    (n) => [n.constant(9), n.constant(-3)],
  ];
  for (const of of indices) {
    const made = (nodes: Nodes) => nodes.binary("add", nodes.gather("t", of(nodes)), nodes.constant(0.5));
    expect([...wrong(made), ...wrong(made, true)]).toEqual([]);
  }
});
