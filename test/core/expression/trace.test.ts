/** Tracing: what a function becomes, and what is refused, with its line. */
import { describe, expect, it } from "vitest";
import { Evaluator } from "../../../src/core/expression/evaluate.ts";
import { Nodes } from "../../../src/core/expression/nodes.ts";
import { toWgsl, toWgslBody } from "../../../src/core/expression/to-wgsl.ts";
import {
  type MaskMod,
  type ScoreMod,
  traceMaskMod,
  traceScoreMod,
} from "../../../src/core/expression/trace.ts";

// biome-ignore lint/suspicious/noExplicitAny: what a user of plain JavaScript may write.
type Loose = any;

const TENSORS = {
  slopes: { shape: [3], dtype: "float32" },
  open: { shape: [4], dtype: "bool" },
};
const score = (f: unknown) => () => traceScoreMod("attention", f as ScoreMod, TENSORS);
const mask = (f: unknown) => () => traceMaskMod("attention", f as MaskMod, TENSORS);

describe("What cannot be traced is refused with the line", () => {
  const cases: [string, () => unknown, RegExp][] = [
    [
      "an operator",
      score((s: number) => s + 1),
      /^attention: scoreMod must not use \+, -, <, Math or text .*trace\.test\.ts:\d+:\d+;/,
    ],
    [
      "a comparison of JavaScript",
      mask(({ q, k }: { q: number; k: number }) => q < k),
      /^attention: maskMod must not use/,
    ],
    ["Math", score((s: number) => Math.exp(s)), /must not use \+, -, <, Math/],
    [
      "a branch",
      mask(({ q, k }: Loose) => (q.less(k) ? true : q.equal(k))),
      /^attention: maskMod must use every comparison it makes; if, \?:, && and \|\| .*trace\.test\.ts:\d+:\d+;/,
    ],
    ["&&", mask(({ q, k }: Loose) => q.less(k) && q.greater(3)), /must use every comparison it makes/],
    [
      "no return",
      score(() => {}),
      /must return a number: .*got undefined; return a value: an arrow with braces needs the word return$/,
    ],
    [
      "a number for a mask",
      mask(({ q }: { q: unknown }) => q),
      /maskMod must return a boolean: .*got a traced number; return a comparison$/,
    ],
    [
      "a truth for a score",
      score((s: Loose) => s.less(0)),
      /scoreMod must return a number: .*got a traced boolean/,
    ],
    [
      "NaN",
      score((s: Loose) => s.mul(Number.NaN)),
      /scoreMod must give mul numbers or traced numbers, got NaN at .*trace\.test\.ts/,
    ],
    [
      "a function that throws",
      score((s: Loose) => s.power(2)),
      /scoreMod must run on traced values, got "s\.power is not a function" at .*trace\.test\.ts/,
    ],
    [
      "a tensor of another name",
      score((s: Loose, _: Loose, t: Loose) => s.add(t.slope.at(0))),
      /must read tensors that are given to it, got tensors\.slope at .*; name one of slopes, open$/,
    ],
    [
      "a tensor of another rank",
      score((s: Loose, { h, q }: Loose, t: Loose) => s.add(t.slopes.at(h, q))),
      /must give slopes\.at one index for each axis of \[3\], got 2 at/,
    ],
    [
      "a tensor as a number",
      score((s: Loose, _: Loose, t: Loose) => s.add(t.slopes)),
      /must give add numbers or traced numbers, got an object/,
    ],
  ];
  it.each(cases)("%s", (_, run, message) => expect(run).toThrow(message));

  it("a value of another call", () => {
    let kept: unknown;
    score((s: unknown) => {
      kept = s;
      return s;
    })();
    expect(score((s: Loose) => s.add(kept))).toThrow(/got a traced number of another call/);
  });
});

it("numbers and truths of JavaScript are constants, −∞ too", () => {
  expect(score(() => -Infinity)().root).toMatchObject({ op: "constant", value: -Infinity });
  expect(mask(() => true)().root).toMatchObject({ kind: "boolean", value: 1 });
});

it("equal parts are one node and constants are computed", () => {
  const nodes = new Nodes();
  const x = nodes.variable("score");
  expect(nodes.binary("add", x, nodes.constant(0))).toBe(x);
  expect(nodes.binary("mul", nodes.constant(6), nodes.constant(7)).value).toBe(42);
  expect(nodes.unary("exp", x)).toBe(nodes.unary("exp", x));
  expect(nodes.constant(-0)).not.toBe(nodes.constant(0));
});

it("indices are rounded down and clamped; NaN is index 0", () => {
  const values = { shape: [3], dtype: "float32", values: [5, 6, 7] };
  const expression = traceScoreMod("attention", (s, { q }, { x }) => x!.at(q.div(2).add(s)), { x: values });
  const evaluator = new Evaluator([expression.root], { x: values });
  const at = (q: number, score = 0) => evaluator.run({ q, score })[0];
  expect([at(-9), at(0), at(1), at(3), at(4), at(99), at(0, Number.NaN)]).toEqual([5, 5, 5, 6, 7, 7, 5]);
});

it("WGSL has one name for what is read twice, and constants for shapes", () => {
  const expression = traceScoreMod(
    "attention",
    (s, { h, q, k }, { slopes }) => k.lessEqual(q).select(s.add(slopes!.at(h).mul(k.sub(q))), -Infinity),
    TENSORS,
  );
  const names = { score: "s", b: "b", h: "h", q: "q", k: "k", tensors: { slopes: "t0" }, infinity: "INF" };
  expect(toWgsl(expression, names)).toBe(
    "select((-INF), (s + (t0[u32(clamp(floor(h), 0.0, 2.0)) * 1u] * (k - q))), (k <= q))",
  );
  const { nodes, root } = traceScoreMod("attention", (s) => s.exp().add(s.exp().tanh()), {});
  const body = toWgslBody([root, nodes.unary("neg", root)], { tensors: {} }, names);
  expect(body.statements).toEqual(["let x0 = exp(s);", "let x1 = (x0 + tanh(clamp(x0, -15.0, 15.0)));"]);
  expect(body.results).toEqual(["x1", "(-x1)"]);
});
