import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { HALF, HALF_TYPES, type HalfType } from "../../src/core/half.ts";
import { gpt2, Transformer, tokenLoss } from "../../src/models/transformer/index.ts";
import { type AttentionOptions, attention, linear } from "../../src/ops/index.ts";
import { autocast, namedGradients } from "../../src/train/index.ts";
import { numbers } from "../ops/both-ways.ts";
import { useBuild } from "../support/kernel-build.ts";

const matrix = (rows: number, columns: number, seed: number) =>
  tf.tensor2d(numbers(rows * columns, seed), [rows, columns]);

/** As it is held in 16 bits. */
const rounded = (type: HalfType, values: ArrayLike<number>) =>
  HALF[type].decode(HALF[type].encode(Float32Array.from(values)));

const isWatched = () => Object.hasOwn(tf.engine(), "addTapeNode");

/** A decoder that learns to read: loss and gradients of one step. */
class Step {
  readonly model = new Transformer(
    { ...gpt2({ layers: 2, width: 32, heads: 4, vocabulary: 41, positions: 23 }), dropout: 0.1 },
    1,
  );
  /** What is kept between the forward and the backward pass. */
  bytes = 0;

  run() {
    const { variables } = this.model.parameters;
    const before = tf.memory().numBytes;
    return namedGradients(variables, () => {
      const loss = tf.tidy(() => {
        const ids = Int32Array.from({ length: 5 * 23 }, (_, n) => (n * 17 + (n >> 3)) % 41);
        const tokens = tf.tensor2d(ids, [5, 23], "int32");
        const states = this.model.decode({ tokens, lengths: [23, 7, 1, 19, 11] }, { dropoutSeed: 3 });
        return tokenLoss(this.model.logits(states), tokens);
      });
      this.bytes = tf.memory().numBytes - before;
      return loss;
    });
  }
}

describe.each(["heed", "cpu"])("autocast on %s", (backend) => {
  beforeAll(async () => {
    await useBuild("relaxed");
    await tf.setBackend(backend);
  });

  it.each(HALF_TYPES)(
    "%s: products see rounded operands and give rounded results, sums are float32",
    (type) => {
      const [N, I, O] = [7, 300, 5];
      tf.tidy(() => {
        const [x, w, dout] = [matrix(N, I, 1), matrix(I, O, 2), matrix(N, O, 3)];
        const [X, W, D] = [x, w, dout].map((tensor) => rounded(type, tensor.dataSync()));
        const { value, grads } = autocast(type, () =>
          tf.valueAndGrads((a: tf.Tensor, b: tf.Tensor) => linear(a, b as tf.Tensor2D))([x, w], dout),
        );
        const { roundoff } = HALF[type];
        const product = (
          rows: number,
          columns: number,
          inner: number,
          term: (n: number, o: number, i: number) => number,
        ) =>
          Array.from({ length: rows * columns }, (_, at) => {
            let sum = 0;
            for (let i = 0; i < inner; i++) sum += term(Math.floor(at / columns), at % columns, i);
            return sum;
          });
        const expected = [
          product(N, O, I, (n, o, i) => X![n * I + i]! * W![i * O + o]!),
          product(N, I, O, (n, i, o) => D![n * O + o]! * W![i * O + o]!),
          product(I, O, N, (i, o, n) => X![n * I + i]! * D![n * O + o]!),
        ];
        for (const [n, result] of [value, ...grads].entries()) {
          const values = result!.dataSync();
          expect([...values]).toEqual([...rounded(type, values)]);
          // One rounding of the result, and those of float32's sum; a sum in 16 bits would be off by √300 of the first.
          const bound = (y: number) => roundoff * Math.abs(y) + 300 * 2 ** -24 * 10;
          expect(expected[n]!.every((y, at) => Math.abs(values[at]! - y) <= bound(y))).toBe(true);
        }
      });
    },
  );

  it.each(HALF_TYPES)("%s: a step of a decoder is that of float32, but for the rounding", (type) => {
    const step = new Step();
    const before = tf.memory().numTensors;
    const exact = step.run();
    const { loss, grads } = autocast(type, () => step.run());
    expect(Math.abs(loss - exact.loss)).toBeLessThan(4 * HALF[type].roundoff * exact.loss);
    const norm = (x: tf.Tensor) => tf.tidy(() => tf.norm(x).dataSync()[0]!);
    const whole = Math.hypot(...Object.values(exact.grads).map(norm));
    const apart = Object.keys(grads).map((name) =>
      tf.tidy(() => norm(tf.sub(grads[name]!, exact.grads[name]!))),
    );
    // Some ten roundings one after the other on the way through two layers and back.
    expect(Math.hypot(...apart)).toBeLessThan(30 * HALF[type].roundoff * whole);
    expect(Math.hypot(...apart)).toBeGreaterThan(0);
    tf.dispose([grads, exact.grads]);
    expect(tf.memory().numTensors).toBe(before);
    // Weights are as they were.
    const again = step.run();
    expect(again.loss).toBe(exact.loss);
    tf.dispose(again.grads);
    step.model.dispose();
  });

  it("rounds no mask: a bias of −1e9, which float16 does not have, hides and spreads no NaN", () => {
    tf.tidy(() => {
      const [B, H, T, S, D] = [1, 2, 3, 5, 7];
      const at = (n: number, seed: number) => tf.tensor4d(numbers(B * H * n * D, seed), [B, H, n, D]);
      const [q, k, v] = [at(T, 1), at(S, 2), at(S, 3)];
      const hidden = (value: number) =>
        tf.tensor2d(
          Array.from({ length: T * S }, (_, n) => (n % 2 || n < S ? value : 0)),
          [T, S],
        );
      const allow = tf.notEqual(hidden(1), 1);
      const run = (options: AttentionOptions) =>
        autocast("float16", () =>
          tf.valueAndGrads((...given: tf.Tensor[]) => {
            const [a, b, c] = given as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
            return tf.sum(attention(a, b, c, options).output);
          })([q, k, v]),
        ).grads.map((gradient) => [...gradient.dataSync()]);
      const dense = run({ allow });
      expect(dense.flat().every(Number.isFinite)).toBe(true);
      expect(run({ bias: hidden(-Infinity) })).toEqual(dense);
      // A row of −1e9 alone hides nothing: all its scores are that.
      const soft = run({ bias: hidden(-1e9) });
      expect(soft.flat().every(Number.isFinite)).toBe(true);
    });
  });

  it("refuses gradients of gradients, which it would get wrong", () => {
    const x = tf.ones([300]);
    const inner = (y: tf.Tensor) => tf.grad((z) => tf.sum(tf.mul(z, tf.square(z))))(y);
    expect(() => autocast("float16", () => tf.grad(inner)(x))).toThrow(
      "autocast: gradients of gradients are not available within it, got a request for one; make them outside of it, " +
        "in float32",
    );
    x.dispose();
  });

  it("leaves nothing changed, also when the step throws", () => {
    const names = ["HeedLinear", "HeedAttention", "BatchMatMul"];
    const kernels = () => names.map((name) => tf.getKernel(name, backend)?.kernelFunc);
    const before = kernels();
    const x = tf.ones([300]);
    const count = tf.memory().numTensors;
    const fail = () => {
      expect(kernels()).not.toEqual(before);
      return tf.grad((y) => {
        tf.mul(y, y);
        throw new Error("stop");
      })(x);
    };
    expect(() => autocast("float16", fail)).toThrow("stop");
    expect([kernels(), isWatched()]).toEqual([before, false]);
    tf.dispose(x);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(count);
  });

  it("may stand within one to the same type, and not within one to another", () => {
    expect(autocast("float16", () => autocast("float16", () => 7))).toBe(7);
    expect(() => autocast("float16", () => autocast("bfloat16", () => 7))).toThrow(
      "autocast: type must be float16 within an autocast to it, got bfloat16; let one call of autocast hold the whole step",
    );
  });
});

describe("autocast", () => {
  it("keeps half the bytes for the backward pass", async () => {
    await useBuild("relaxed");
    const step = new Step();
    const bytes = (run: () => ReturnType<Step["run"]>) => {
      tf.dispose(run().grads);
      return step.bytes;
    };
    const kept = bytes(() => step.run());
    for (const type of HALF_TYPES) {
      const half = bytes(() => autocast(type, () => step.run()));
      expect(half / kept).toBeLessThan(0.55);
      expect(half / kept).toBeGreaterThan(0.3);
    }
    step.model.dispose();
  });

  it("refuses other backends and types, and a run that has not ended when it returns", async () => {
    await tf.setBackend("wasm");
    expect(() => autocast("float16", () => 1)).toThrow(
      'autocast: the backend must be "heed" or "cpu", got wasm; await tf.setBackend("heed") first',
    );
    await tf.setBackend("heed");
    expect(() => autocast("float16", async () => 1)).toThrow(
      "autocast: run must run to its end before it returns, got a promise; put in it what lies between two awaits",
    );
    expect(() => autocast("half" as HalfType, () => 1)).toThrow(
      'type must be "float16" or "bfloat16", got half',
    );
  });
});
