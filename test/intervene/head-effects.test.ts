import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { attend } from "../../src/attention/index.ts";
import { type EffectPart, headEffects, type Recording, record } from "../../src/intervene/index.ts";
import { attention } from "../../src/ops/index.ts";
import { onEveryBackend } from "../attention/support.ts";
import { B, D, Dv, expectClose, H, Hkv, makeInputs, random, S, T } from "./support.ts";

const PARTS: EffectPart[] = ["q", "k", "v", "output"];

onEveryBackend("headEffects", () => {
  const others = () =>
    [random([B, H, T, D], 11), random([B, Hkv, S, D], 12), random([B, Hkv, S, Dv], 13)] as const;
  const options = { causal: "bottomRight", sink: 0.5, scale: 3 } as const;

  it.each(PARTS.flatMap((of) => (["head", "token"] as const).map((per) => [of, per] as const)))(
    "the gradient with the corrected softmax is exact where the metric is linear in the output: %s of each %s",
    (of, per) => {
      const [q, k, v] = makeInputs();
      const [q2, k2, v2] = others();
      const factor = random([B, H, T, Dv], 7);
      const run = () => attention(q, k, v, options).output;
      const metric = (output: tf.Tensor) => tf.sum(tf.mul(output, factor));
      const from = record(() => attention(q2, k2, v2, options), { keep: [of] });
      const before = tf.memory().numTensors;
      const exact = headEffects(run, metric, { of, per, from });
      const first = headEffects(run, metric, { of, per, from, method: "gradient" });
      expect(tf.memory().numTensors).toBe(before);
      const many = of === "k" || of === "v" ? [Hkv, S] : [H, T];
      expect(exact.effects[0]!.length).toBe(many[0]! * (per === "head" ? 1 : many[1]!));
      // Differences of sums of 660 products, of size 50.
      expectClose(first.effects[0]!, exact.effects[0]!, 2e-4);
      expect(first.metric).toBeCloseTo(metric(run()).dataSync()[0]!, 4);
      expect(exact.ranking.map(({ layer, head, token }) => [layer, head, token])).toEqual(
        first.ranking.map(({ layer, head, token }) => [layer, head, token]),
      );
      const [best] = exact.ranking;
      const at = best!.head * (per === "head" ? 1 : many[1]!) + (best!.token ?? 0);
      expect(best!.effect).toBe(exact.effects[0]![at]);
      expect(Math.abs(best!.effect)).toBe(Math.max(...exact.effects[0]!.map(Math.abs)));
      if (of === "q" || of === "k") {
        const linear = headEffects(run, metric, { of, per, from, method: "gradient", softmax: "linear" });
        const worst = (a: Float64Array) => Math.max(...a.map((x, e) => Math.abs(x - exact.effects[0]![e]!)));
        expect(worst(linear.effects[0]!)).toBeGreaterThan(0.5);
      }
      from.dispose();
    },
  );

  it.each(PARTS)("the linear one is the gradient times the way: %s, from nothing", (of) => {
    const [q, k, v] = makeInputs();
    const metric = (output: tf.Tensor) => tf.sum(tf.tanh(output));
    const { effects } = headEffects(() => attention(q, k, v, options).output, metric, {
      ...{ of, method: "gradient", softmax: "linear" },
    });
    const inputs = { q, k, v, output: attention(q, k, v, options).output };
    const slope = tf.grad((x) => {
      if (of === "output") return metric(x);
      const all = { q, k, v, [of]: x };
      return metric(attention(all.q, all.k, all.v, options).output);
    })(inputs[of]);
    expectClose(effects[0]!, tf.neg(tf.sum(tf.mul(slope, inputs[of]), [0, 2, 3])).dataSync(), 1e-4);
  });

  it("goes through later layers, gives calls that the metric does not need 0, and ranks all heads", () => {
    const x = random<tf.Tensor3D>([1, T, 4], 1);
    const self = (x: tf.Tensor3D) => attend({ queries: x, keys: x, values: x }).output;
    const run = () => {
      const y = tf.add(x, tf.mul(0.01, self(x))) as tf.Tensor3D;
      return { seen: tf.add(y, self(y)), aside: self(y) };
    };
    const metric = ({ seen }: { seen: tf.Tensor }) => tf.sum(tf.slice(seen, [0, 0, 1], [1, 1, 1]));
    const exact = headEffects(run, metric);
    const first = headEffects(run, metric, { method: "gradient" });
    expect(exact.effects.map(({ length }) => length)).toEqual([1, 1, 1]);
    // A hundredth of an effect is small enough for the first order to be within a tenth.
    const [a, b, c] = first.effects.map(([effect]) => effect!);
    expect(a! / exact.effects[0]![0]!).toBeGreaterThan(0.9);
    expect(a! / exact.effects[0]![0]!).toBeLessThan(1.1);
    expect(b! / exact.effects[1]![0]!).toBeCloseTo(1, 4);
    expect([c, exact.effects[2]![0]]).toEqual([0, 0]);
    expect(first.ranking.map(({ layer }) => layer)).toEqual([1, 0, 2]);
  });

  it("a key that has all the weight loses it, which a linear gradient does not see", () => {
    const q = tf.fill([1, 1, 1, 1], 60) as tf.Tensor4D;
    const k = tf.tensor4d([1, 0], [1, 1, 2, 1]);
    const v = tf.tensor4d([5, 7], [1, 1, 2, 1]);
    const run = () => attention(q, k, v).output;
    const clean: Recording = { calls: [{ op: "attention", k: tf.tensor4d([-1, 0], [1, 1, 2, 1]) }] };
    const ask = (softmax: "corrected" | "linear", method: "gradient" | "exact" = "gradient") =>
      headEffects(run, (output) => tf.sum(output), { of: "k", per: "token", from: clean, softmax, method })
        .effects[0]!;
    expectClose(ask("corrected"), [2, 0]);
    expectClose(ask("corrected", "exact"), [2, 0]);
    expectClose(ask("linear"), [0, 0]);
  });

  it("sees by GradDrop, by hand, what direct and indirect effects cancel", () => {
    // Of one key, attention gives its value: a = 3, then b = −a and c = 2a + b, of which the metric is the sum.
    const at = (value: tf.Tensor) => attention(one, one, value as tf.Tensor4D).output;
    const one = tf.ones([1, 1, 1, 1]) as tf.Tensor4D;
    const run = () => {
      const a = at(tf.fill([1, 1, 1, 1], 3));
      const b = at(tf.neg(a));
      return tf.addN([a, b, at(tf.add(tf.mul(2, a), b))]);
    };
    const ask = (gradDrop: boolean, of: "output" | "v" = "output") =>
      headEffects(run, tf.sum, { method: "gradient", gradDrop, of }).effects.map(([effect]) => effect!);
    const before = tf.memory().numTensors;
    // ∂m/∂a = 1 − 1 + 2 − 1, ∂m/∂b = 1 + 1, ∂m/∂c = 1, times 0 − a, 0 − b, 0 − c.
    expectClose(ask(false), [-3, 6, -3]);
    // Of a: b held 1 + 2, c held 1 − 1; of b: a held 2, c held 1; of c: 1 each. Halves of the sums of their sizes.
    expectClose(ask(true), [(9 + 0) / 2, (6 + 3) / 2, (3 + 3) / 2]);
    expectClose(ask(true, "v"), [(9 + 0) / 2, (6 + 3) / 2, (3 + 3) / 2]);
    expect(tf.memory().numTensors).toBe(before);
    expect(headEffects(run, tf.sum, { method: "gradient", gradDrop: true }).metric).toBe(3);
  });

  it("sees by GradDrop an effect that is none to first order", () => {
    const one = tf.ones([1, 1, 1, 1]) as tf.Tensor4D;
    const run = () => {
      const a = attention(one, one, tf.fill([1, 1, 1, 1], 5) as tf.Tensor4D).output;
      return tf.add(a, attention(one, one, tf.neg(a) as tf.Tensor4D).output);
    };
    const ask = (gradDrop: boolean) => headEffects(run, tf.sum, { method: "gradient", gradDrop });
    expect(ask(false).effects[0]![0]).toBeCloseTo(0, 6);
    expect(ask(true).effects.map(([effect]) => effect)).toEqual([5, 5]);
    const alone = () => attention(one, one, one).output;
    expect(() => headEffects(alone, tf.sum, { method: "gradient", gradDrop: true })).toThrow(
      "headEffects: gradDrop must have two calls of attention or more, got 1; leave gradDrop out",
    );
    expect(() => headEffects(run, tf.sum, { gradDrop: true })).toThrow(
      'headEffects: gradDrop must go with the method that has gradients, got method "exact"; choose',
    );
  });

  it("refuses a metric that is no number, q of another score, and choices that are none", () => {
    const [q, k, v] = makeInputs();
    const run = () => attention(q, k, v).output;
    const before = tf.memory().numTensors;
    for (const method of ["exact", "gradient"] as const) {
      expect(() => headEffects(run, (output) => output, { method })).toThrow(
        "headEffects: the metric must be one number, got shape [2, 6, 5, 11]; take one element, such as a class's score",
      );
      expect(() => headEffects(run, tf.sum, { method, from: { calls: [] } })).toThrow(
        /fromLayer must be within/,
      );
    }
    expect(() => headEffects(run, tf.sum, { of: "weights" as "q" })).toThrow("headEffects: of must be");
    expect(tf.memory().numTensors).toBe(before);
  });
});
