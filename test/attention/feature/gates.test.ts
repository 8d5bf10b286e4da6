import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  contextualGate,
  elementAttention,
  elementMlpGate,
  gatedPooling,
  gatedResidual,
  gatePenalty,
  learnableGate,
  projectedGate,
  sigmoidGate,
} from "../../../src/attention/feature/index.ts";
import { attention } from "../../../src/ops/attention.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const matrix = (seed: number, ...shape: number[]) => tensor<tf.Tensor2D>(random(seed, shape));
const vector = (seed: number, n: number) => tensor<tf.Tensor1D>(random(seed, [n]));
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

onEveryBackend("gates", () => {
  it("the sigmoid gate equals SiLU and its slope is σ(x)(1 + x(1 − σ(x))), to 1e-7", () => {
    tf.tidy(() => {
      const x = tf.linspace(-6, 6, 97);
      const { output, gate } = sigmoidGate(x);
      const values = [...x.dataSync()];
      // Numbers up to 6 in float32: relative to their size.
      const near = (got: tf.Tensor, f: (n: number) => number) => {
        got.dataSync().forEach((value, e) => {
          const expected = f(values[e]!);
          expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-7 * Math.max(1, Math.abs(expected)));
        });
      };
      near(output, (n) => n * logistic(n));
      near(gate, logistic);
      const slope = tf.grad((t) => sigmoidGate(t).output)(x);
      // Three more roundings than the value.
      slope.dataSync().forEach((value, e) => {
        const n = values[e]!;
        const expected = logistic(n) * (1 + n * (1 - logistic(n)));
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(8 * ROUNDING);
      });
    });
  });

  it("gates far from 0 are 0 and 1 and stay finite", () => {
    const { output, gate } = sigmoidGate(tf.tensor1d([-1e4, 1e4]));
    expect([...gate.dataSync()]).toEqual([0, 1]);
    expect([...output.dataSync()].map((n) => n + 0)).toEqual([0, 1e4]);
  });

  const single = [
    ["sigmoidGate", (x: tf.Tensor) => sigmoidGate(x).output],
    ["learnableGate", (x: tf.Tensor) => learnableGate(x, { w: vector(3, 7) }).output],
    [
      "elementMlpGate",
      (x: tf.Tensor) => {
        const parameters = { w1: vector(4, 5), b1: vector(5, 5), w2: vector(6, 5), b2: vector(7, 1) };
        return elementMlpGate(x, parameters).output;
      },
    ],
  ] as const;
  it.each(single)("%s has off-diagonal derivatives of exactly 0", (_, f) => {
    tf.tidy(() => {
      const x = matrix(2, 1, 7);
      for (let i = 0; i < 7; i++) {
        const row = tf.grad((t) => f(t))(x, tf.slice(tf.eye(7), [i, 0], [1, 7]));
        row.dataSync().forEach((value, j) => {
          if (j === i) expect(value).not.toBe(0);
          else expect(value).toBe(0);
        });
      }
    });
  });

  it("keeps the shape of its input, whatever the rank, and lets the context alone decide without W_x", () => {
    tf.tidy(() => {
      for (const shape of [[7], [3, 7], [2, 3, 7], [2, 3, 5, 7]]) {
        const x = tensor(random(1, shape));
        expect(sigmoidGate(x).output.shape).toEqual(shape);
        expect(learnableGate(x, { w: vector(2, 7) }).output.shape).toEqual(shape);
      }
      const x = matrix(3, 2, 5, 7);
      const { output, gate } = contextualGate(x, matrix(4, 2, 3), { wc: matrix(5, 3, 7) });
      expect(output.shape).toEqual([2, 5, 7]);
      expect(gate.shape).toEqual([2, 1, 7]);
    });
  });

  it("projectedGate and elementMlpGate are the identity where W = 0 and b is large, and 0 where −b is", () => {
    tf.tidy(() => {
      const x = matrix(1, 3, 5);
      const w = tf.zeros<tf.Rank.R2>([5, 5]);
      expect(projectedGate(x, { w, b: tf.fill([5], 100) }).output.dataSync()).toEqual(x.dataSync());
      const closed = projectedGate(x, { w, b: tf.fill([5], -1e4) }).output.dataSync();
      expect(closed.every((n) => n === 0)).toBe(true);
      const mlp = {
        w1: vector(2, 3),
        b1: vector(3, 3),
        w2: tf.zeros<tf.Rank.R1>([3]),
        b2: tf.tensor1d([100]),
      };
      expect(elementMlpGate(x, mlp).output.dataSync()).toEqual(x.dataSync());
    });
  });

  it("contextualGate has a gate for each feature, that of the loop over positions and features", () => {
    tf.tidy(() => {
      const [B, T, C, K] = [2, 3, 5, 7];
      const [x, c] = [random(1, [B, T, C]), random(2, [B, K])];
      const [wx, wc, b] = [random(3, [C, C]), random(4, [K, C]), random(5, [C])];
      const { gate } = contextualGate(tensor(x), tensor(c), {
        ...{ wx: tensor<tf.Tensor2D>(wx), wc: tensor<tf.Tensor2D>(wc), b: tensor<tf.Tensor1D>(b) },
      });
      expect(gate.shape).toEqual([B, T, C]);
      const expected: number[] = [];
      for (let i = 0; i < B; i++) {
        for (let t = 0; t < T; t++) {
          for (let j = 0; j < C; j++) {
            let logit = b.values[j]!;
            for (let k = 0; k < C; k++) logit += x.values[(i * T + t) * C + k]! * wx.values[k * C + j]!;
            for (let k = 0; k < K; k++) logit += c.values[i * K + k]! * wc.values[k * C + j]!;
            expected.push(logistic(logit));
          }
        }
      }
      expect(distance(gate.dataSync(), expected)).toBeLessThanOrEqual(12 * ROUNDING);
    });
  });

  it("elementAttention is the gate that its importance and parameters name", () => {
    tf.tidy(() => {
      const x = matrix(1, 3, 5);
      const context = matrix(2, 3, 2);
      const bitwise = (
        a: { output: tf.Tensor; gate: tf.Tensor },
        b: { output: tf.Tensor; gate: tf.Tensor },
      ) => {
        expect(a.output.dataSync()).toEqual(b.output.dataSync());
        expect(a.gate.dataSync()).toEqual(b.gate.dataSync());
      };
      bitwise(elementAttention(x, { importance: "magnitude" }), sigmoidGate(x));
      const contextual = { wx: matrix(3, 5, 5), wc: matrix(4, 2, 5) };
      const options = { importance: "context", context, parameters: contextual } as const;
      bitwise(elementAttention(x, options), contextualGate(x, context, contextual));
      const learned = (
        parameters: Parameters<typeof learnableGate>[1] | Parameters<typeof projectedGate>[1],
      ) => elementAttention(x, { importance: "learned", parameters });
      bitwise(learned({ w: vector(5, 5) }), learnableGate(x, { w: vector(5, 5) }));
      bitwise(learned({ w: matrix(6, 5, 5) }), projectedGate(x, { w: matrix(6, 5, 5) }));
      const parameters = { w1: vector(4, 5), b1: vector(5, 5), w2: vector(6, 5), b2: vector(7, 1) };
      bitwise(elementAttention(x, { importance: "learned", parameters }), elementMlpGate(x, parameters));
    });
  });

  it("a gated residual with γ = 0 is the identity, and takes a share for each feature", () => {
    tf.tidy(() => {
      const x = matrix(1, 3, 5);
      const { output } = sigmoidGate(x);
      expect(gatedResidual(x, output, 0).dataSync()).toEqual(x.dataSync());
      const gamma = vector(2, 5);
      const expected = x.dataSync().map((n, e) => n + output.dataSync()[e]! * gamma.dataSync()[e % 5]!);
      expect(distance(gatedResidual(x, output, gamma).dataSync(), expected)).toBeLessThanOrEqual(
        4 * ROUNDING,
      );
    });
  });

  it("gated pooling is the mean where all gates are alike, and attention pooling where they are exponentials", () => {
    tf.tidy(() => {
      const x = matrix(1, 2, 5, 3) as unknown as tf.Tensor3D;
      const even = gatedPooling(x, tf.fill([2, 5, 1], 0.3));
      expect(distance(even.output.dataSync(), tf.mean(x, 1).dataSync())).toBeLessThanOrEqual(8 * ROUNDING);
      const q = tensor<tf.Tensor4D>(random(2, [1, 1, 1, 3]));
      const query = tf.tile(q, [2, 1, 1, 1]);
      const scores = tf.sum(tf.mul(x, tf.reshape(q, [1, 1, 3])), 2, true);
      const pooled = gatedPooling(x, tf.exp(scores));
      const keys = tf.expandDims<tf.Tensor4D>(x, 1);
      const read = attention(query, keys, keys, { scale: 1 });
      expect(distance(pooled.output.dataSync(), read.output.dataSync())).toBeLessThanOrEqual(16 * ROUNDING);
    });
  });

  it("gated pooling gives 0 and gradients of 0 where nothing is allowed, and NaN in hidden places leaks nowhere", () => {
    tf.tidy(() => {
      const allow = tf.tensor2d([1, 1, 0, 0, 0, 0], [2, 3], "bool");
      const x = tf.tensor3d([1, 2, NaN, 4, NaN, 6], [2, 3, 1]);
      const gate = tf.tensor3d([0.5, 0.25, NaN, 0.5, 0.5, NaN], [2, 3, 1]);
      const { output, weights } = gatedPooling(x, gate, { allow });
      expect([...weights.dataSync()].slice(2)).toEqual([0, 0, 0, 0]);
      expect(output.dataSync()[0]).toBeCloseTo(4 / 3, 6);
      expect(output.dataSync()[1]).toBe(0);
      const grads = tf.grads(
        (a: tf.Tensor, b: tf.Tensor) => gatedPooling(a as tf.Tensor3D, b, { allow }).output,
      );
      for (const gradient of grads([x, gate])) {
        expect([...gradient.dataSync()].map((n) => n + 0).slice(2)).toEqual([0, 0, 0, 0]);
        expect(gradient.dataSync()[0]).not.toBe(0);
      }
    });
  });

  it("penalties are a mean, at least 0, and 0 only for closed gates or decided ones", () => {
    tf.tidy(() => {
      const gate = tf.tensor1d([0, 1, 0.5, 0.25]);
      const entropy = (g: number) => -(g * Math.log(g) + (1 - g) * Math.log(1 - g));
      expect(gatePenalty(gate).dataSync()[0]).toBe(1.75 / 4);
      const got = gatePenalty(gate, { kind: "entropy" }).dataSync()[0]!;
      // Each end of the two decided gates is 2⁻²⁴ from its corner: 2⁻²⁴·(1 + 24·ln 2) nats.
      expect(Math.abs(got - (entropy(0.5) + entropy(0.25)) / 4)).toBeLessThanOrEqual(2e-6);
      expect(
        tf
          .grad((g) => gatePenalty(g, { kind: "entropy" }))(gate)
          .dataSync()
          .every(Number.isFinite),
      ).toBe(true);
    });
  });
});
