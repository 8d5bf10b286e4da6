import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { NORMALIZERS, type NormalizerName } from "../../src/attention/normalize/normalizers.ts";
import { attend } from "../../src/attention/sequence/attend.ts";
import type { DataError } from "../../src/core/errors.ts";
import { Transformer, tokenLoss, vaswani } from "../../src/models/transformer/index.ts";
import { additiveAttention, attention } from "../../src/ops/index.ts";
import { Adam, autocast, guardFinite, namedGradients } from "../../src/train/index.ts";
import { numbers } from "../ops/both-ways.ts";
import { useBuild } from "../support/kernel-build.ts";

type NotFinite = DataError<"NOT_FINITE">;

function faultOf(run: () => unknown): NotFinite {
  try {
    run();
  } catch (error) {
    return error as NotFinite;
  }
  throw new Error("nothing was thrown");
}

const held = () => tf.memory().numTensors + tf.engine().backend.numDataIds();
const isPatched = () => Object.hasOwn(tf.engine(), "runKernelFunc");

describe.each(["heed", "cpu"])("guardFinite on %s", (backend) => {
  beforeAll(async () => {
    await useBuild("relaxed");
    await tf.setBackend(backend);
  });

  it("names the kernel that made the first number that is not finite, and not those that it spreads to", () => {
    const x = tf.tensor2d([1, 2, 3, 4, 0, 0], [2, 3]);
    const before = held();
    const error = faultOf(() => guardFinite(() => tf.tidy(() => tf.sum(tf.mul(tf.log(x), 0)).dataSync())));
    expect(error.code).toBe("NOT_FINITE");
    expect(error.message).toBe(
      "guardFinite: every number of a step must be finite, got 2 of 6 numbers, the first -Infinity at [1, 1], " +
        "from Log of x [2, 3], all of them finite; look at the sizes of what this operation is given",
    );
    expect(error.details).toMatchObject({ kernel: "Log", inputs: { x: [2, 3] }, notFinite: [], count: 2 });
    expect(error.details).toMatchObject({ index: [1, 1], value: -Infinity });
    expect(held()).toBe(before);
    x.dispose();
  });

  it("says so when an input brought it", () => {
    const x = tf.tensor1d([1, Number.NaN, 3]);
    const error = faultOf(() => guardFinite(() => tf.tidy(() => tf.add(x, tf.scalar(1)).dataSync())));
    expect(error.message).toBe(
      "guardFinite: every number of a step must be finite, got 1 of 3 numbers, the first NaN at [1], from Add of " +
        "a [3], b [], not finite before it: a; look at where that came from: no operation in the guarded run made it",
    );
    x.dispose();
  });

  it("sees the backward pass, and leaves no tensor of the tape", () => {
    const x = tf.variable(tf.tensor1d([4, 0]));
    const before = held();
    // √x is finite at 0, its derivative is not.
    const step = () => namedGradients({ x }, () => tf.tidy(() => tf.sum(tf.sqrt(tf.mul(x, 1)))));
    const error = faultOf(() => guardFinite(step));
    expect(error.details).toMatchObject({ kernel: "RealDiv", notFinite: [], index: [1], value: Infinity });
    expect(held()).toBe(before);
    expect(tf.engine().state.activeTape).toBeFalsy();
    // Without a tidy too; what a run makes and gives is its caller's.
    faultOf(() => guardFinite(() => tf.log(tf.sub(tf.exp(tf.scalar(0)), 1))));
    expect(held()).toBe(before);
    const made = guardFinite(() => tf.tidy(() => tf.add(tf.exp(tf.scalar(0)), 1)));
    expect(made.dataSync()[0]).toBe(2);
    made.dispose();
    expect(held()).toBe(before);
    // Gradients go on as before.
    const { grads } = namedGradients({ x }, () => tf.tidy(() => tf.sum(tf.square(x))));
    expect([...grads.x!.dataSync()]).toEqual([8, 0]);
    tf.dispose([grads.x!, x]);
  });

  it("raises no alarm in a step of a Transformer with padding, an empty source and masks, dropout and all", () => {
    const sizes = { width: 8, heads: 2, inner: 11, encoderLayers: 2, decoderLayers: 2 };
    const model = new Transformer(vaswani({ ...sizes, vocabulary: 13, dropout: 0.1 }), 1);
    const adam = new Adam({ learningRate: 0.01, clipNorm: 1 });
    const before = held();
    const step = (seed: number) => {
      const { grads, loss } = namedGradients(model.parameters.variables, () =>
        tf.tidy(() => {
          const tokens = tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 0], [3, 5], "int32");
          const allow = tf.tensor2d(
            [1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
            [5, 5],
            "bool",
          );
          const [lengths, memoryLengths] = [
            [5, 2, 3],
            [4, 0, 3],
          ];
          const memory = model.encode({ tokens, lengths: memoryLengths, allow }, { dropoutSeed: seed });
          const states = model.decode({ tokens, lengths }, { memory, memoryLengths, dropoutSeed: seed });
          const labels = tf.tensor2d([3, 1, 4, 1, 5, 9, 2, -1, -1, -1, 5, 8, 9, -1, -1], [3, 5], "int32");
          return tokenLoss(model.logits(states), labels, { smoothing: 0.1 });
        }),
      );
      adam.apply(grads, model.parameters.variables);
      tf.dispose(grads);
      return loss;
    };
    const losses = [1, 2, 3].map((seed) => guardFinite(() => step(seed)));
    expect(losses.every(Number.isFinite)).toBe(true);
    adam.dispose();
    expect(held()).toBe(before);
    model.dispose();
  });

  it("lets −∞ pass where it hides: masks added to scores, log-sum-exp of nothing; and not the NaN of a whole row", () => {
    const run = (row: number[]) =>
      tf.tidy(() => {
        const mask = tf.tensor2d([0, -Infinity, 0, ...row], [2, 3]);
        const filled = tf.where(tf.greater(mask, -1), tf.zeros([2, 3]), tf.fill([2, 3], -Infinity));
        const scores = tf.add(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), filled);
        return Array.from(tf.softmax(scores).dataSync());
      });
    expect(guardFinite(() => run([-Infinity, 0, 0])).slice(0, 2)).toEqual([expect.closeTo(0.1192, 4), 0]);
    const hidden = [-Infinity, -Infinity, -Infinity];
    const { details } = faultOf(() => guardFinite(() => run(hidden)));
    expect(details).toMatchObject({ value: Number.NaN, index: [1, 0] });
    const lse = guardFinite(() =>
      tf.tidy(() => {
        const [q, v] = [tf.ones<tf.Rank.R4>([1, 1, 2, 3]), tf.ones<tf.Rank.R4>([1, 1, 2, 3])];
        const allow = tf.tensor2d([1, 1, 0, 0], [2, 2], "bool");
        return Array.from(attention(q, q, v, { allow, lse: true }).lse.dataSync());
      }),
    );
    expect(lse[1]).toBe(-Infinity);
    const additive = guardFinite(() =>
      tf.tidy(() => {
        const x = tf.ones<tf.Rank.R3>([2, 3, 5]);
        const options = { keyLengths: [0, 2], lse: true } as const;
        return Array.from(additiveAttention(x, x, tf.ones<tf.Rank.R1>([5]), x, options).lse.dataSync());
      }),
    );
    expect(additive.slice(0, 3)).toEqual([-Infinity, -Infinity, -Infinity]);
  });

  it("names the kernel within an operation with its own gradient, if what that gives is not finite", () => {
    const hide = (isHidden: boolean) =>
      tf.customGrad((x) => {
        const value = tf.where(
          tf.scalar(isHidden, "bool"),
          tf.zerosLike(x as tf.Tensor),
          tf.sqrt(x as tf.Tensor),
        );
        return { value, gradFunc: (dy: tf.Tensor) => dy };
      });
    const run = (isHidden: boolean) => () =>
      tf.tidy(() => [...hide(isHidden)(tf.tensor1d([1, -1])).dataSync()]);
    expect(guardFinite(run(true))).toEqual([0, 0]);
    expect(faultOf(() => guardFinite(run(false))).details).toMatchObject({ kernel: "Sqrt", index: [1] });
  });

  it("raises no alarm at any normaliser where a query sees nothing, forward and backward", () => {
    const names = Object.keys(NORMALIZERS) as NormalizerName[];
    for (const normalize of names) {
      const run = () =>
        tf.tidy(() => {
          const queries = tf.ones<tf.Rank.R3>([2, 3, 5]);
          const k = tf.tensor3d(numbers(40, 1), [2, 4, 5]);
          const allow = tf.tensor2d([1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1], [3, 4], "bool");
          const loss = (x: tf.Tensor) => {
            const keys = x as tf.Tensor3D;
            return tf.sum(attend({ queries, keys, values: keys, mask: { allow }, normalize }).output);
          };
          return [...tf.grad(loss)(k).dataSync()].every(Number.isFinite);
        });
      expect([normalize, guardFinite(run)]).toEqual([normalize, true]);
    }
  });

  it("lets kernels that are named give −∞, and no NaN", () => {
    const run = (x: number) => () => tf.tidy(() => tf.log(tf.scalar(x)).dataSync()[0]);
    expect(guardFinite(run(0), { allow: ["Log"] })).toBe(-Infinity);
    expect(faultOf(() => guardFinite(run(-1), { allow: ["Log"] })).details.kernel).toBe("Log");
  });

  it("leaves nothing watched, also when it threw, and nests", () => {
    expect(isPatched()).toBe(false);
    const bad = () => tf.tidy(() => tf.log(tf.scalar(0)).dataSync());
    const seen: boolean[] = [];
    const { details } = faultOf(() =>
      guardFinite(() => {
        guardFinite(() => tf.tidy(() => tf.exp(tf.scalar(0)).dataSync()));
        seen.push(isPatched());
        expect(() => guardFinite(bad)).toThrow("from Log");
        seen.push(isPatched());
        tf.tidy(() => tf.exp(tf.scalar(1000)).dataSync());
      }),
    );
    expect(details.kernel).toBe("Exp");
    expect([...seen, isPatched()]).toEqual([true, true, false]);
    expect(bad()[0]).toBe(-Infinity);
  });

  it("names what overflows in 16 bits, around autocast and within it, and nothing is left", () => {
    const [a, b] = [tf.fill<tf.Rank.R2>([20, 20], 300), tf.fill<tf.Rank.R2>([20, 20], 20)];
    const before = held();
    const step = () =>
      tf.valueAndGrads((x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.matMul(tf.mul(x, 1), y)))([a, b]);
    const ways = [
      () => guardFinite(() => autocast("float16", step)),
      () => autocast("float16", () => guardFinite(step)),
    ];
    for (const way of ways) {
      expect(faultOf(way).details).toMatchObject({
        kernel: "BatchMatMul",
        count: 400,
        value: Infinity,
        notFinite: [],
      });
      expect(held()).toBe(before);
    }
    tf.dispose([guardFinite(step), a, b].flatMap((x) => ("grads" in x ? [x.value, ...x.grads] : [x])));
  });

  it("refuses a run that has not ended when it returns", () => {
    expect(() => guardFinite(async () => 1)).toThrow(
      "guardFinite: run must run to its end before it returns, got a promise; put in it what lies between two awaits",
    );
  });
});
