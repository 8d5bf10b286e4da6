import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type GatedCrossAttentionParameters,
  gatedCrossAttention,
  transformerEncoderLayer,
} from "../../../src/attention/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import { gateCalls } from "../../../src/ops/observe.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { blockParameters, blockTensors, type Flat, leftBehind } from "../set/support.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, T, S, C, CM, H, D, F] = [2, 5, 7, 11, 13, 3, 2, 17];

function parametersOf({ attentionGate, feedForwardGate, ...t }: Flat): GatedCrossAttentionParameters {
  const { attention, attentionNorm, ...rest } = blockParameters(t);
  const gates = { attentionGate, feedForwardGate } as {
    attentionGate: tf.Scalar;
    feedForwardGate: tf.Scalar;
  };
  return { crossAttention: attention, crossNorm: attentionNorm, ...rest, ...gates };
}
const made = (alpha: number, beta: number, Cm = CM) =>
  parametersOf({
    ...blockTensors(3, { C, Cy: Cm, H, D, F }),
    ...{ attentionGate: tf.scalar(alpha), feedForwardGate: tf.scalar(beta) },
  });
const inputs = (Cm = CM) => ({
  x: tensor<tf.Tensor3D>(random(1, [B, T, C])),
  memory: tensor<tf.Tensor3D>(random(2, [B, S, Cm])),
});

onEveryBackend("gatedCrossAttention", () => {
  it("is the identity at the start, bit for bit, whatever it reads", () => {
    for (const memory of [inputs().memory, tf.mul(inputs().memory, 1e6) as tf.Tensor3D]) {
      const { x } = inputs();
      const { output } = gatedCrossAttention({ x, memory }, made(0, 0));
      expect(new Int32Array(output.dataSync().slice().buffer)).toEqual(
        new Int32Array(x.dataSync().slice().buffer),
      );
    }
  });

  it("opens by the tanh of its gates", () => {
    const { x, memory } = inputs();
    const added = (alpha: number) =>
      tf.sub(gatedCrossAttention({ x, memory }, made(alpha, 0)).output, x).dataSync();
    const [half, whole] = [added(Math.atanh(0.5)), added(20)];
    // Both differences are of numbers below 8, rounded once each.
    expect(
      distance(
        half.map((n: number) => 2 * n),
        whole,
      ),
    ).toBeLessThanOrEqual(8 * 4 * ROUNDING);
    expect(Math.max(...whole.map(Math.abs))).toBeGreaterThan(0.1);
  });

  it("with open gates and norm(x) as its memory is a layer of an encoder with its norms first", () => {
    const { x } = inputs(C);
    const own = made(20, 20, C);
    const normalized = tf.tidy(() => {
      const { mean, variance } = tf.moments(x, 2, true);
      const { gamma, beta } = own.crossNorm;
      return tf.add(
        tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), gamma!),
        beta!,
      ) as tf.Tensor3D;
    });
    const { crossAttention, crossNorm, feedForward, feedForwardNorm } = own;
    const layer = { selfAttention: crossAttention, selfNorm: crossNorm, feedForward, feedForwardNorm };
    const expected = transformerEncoderLayer(x, layer, { preNorm: true }).output;
    const { output } = gatedCrossAttention({ x, memory: normalized }, own);
    expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(256 * ROUNDING);
  });

  it("where it is shut its gates learn, and nothing behind them does", () => {
    const given: Flat = {
      ...blockTensors(3, { C, Cy: CM, H, D, F }),
      ...{ attentionGate: tf.scalar(0), feedForwardGate: tf.scalar(0) },
    };
    const names = Object.keys(given);
    const call = (...t: tf.Tensor[]) =>
      gatedCrossAttention(inputs(), parametersOf(Object.fromEntries(names.map((name, n) => [name, t[n]!]))))
        .output;
    const gradients = tf.grads(call)(Object.values(given), tensor(random(9, [B, T, C])));
    names.forEach((name, n) => {
      const some = gradients[n]!.dataSync().some((d: number) => d !== 0);
      expect(some, name).toBe(name.endsWith("Gate"));
    });
  });

  it("computes a case worked by hand", () => {
    // Zero scores read the mean of the memory, (4, 2); y = x + ½·(4, 2) = (5, −1); norm(y) = (1, −1), relu (1, 0), and
    // output = y + ½·(1, 0) = (5.5, −1).
    const [zero, eye, gate] = [tf.zeros<tf.Rank.R3>([2, 1, 2]), tf.eye(2), tf.scalar(Math.atanh(0.5))];
    const crossAttention = {
      ...{ wq: zero, wk: zero },
      wv: tf.reshape(eye, [2, 1, 2]) as tf.Tensor3D,
      wo: tf.reshape(eye, [1, 2, 2]) as tf.Tensor3D,
    };
    const norms = { crossNorm: {}, feedForwardNorm: {} };
    const gates = { attentionGate: gate, feedForwardGate: gate };
    const given = { x: tf.tensor3d([3, -2], [1, 1, 2]), memory: tf.tensor3d([8, 0, 0, 4], [1, 2, 2]) };
    const parameters = { crossAttention, feedForward: { w1: eye, w2: eye }, ...norms, ...gates };
    const { output, weights } = gatedCrossAttention(given, parameters, { weights: true });
    expect(distance(output.dataSync(), [5.5, -1])).toBeLessThanOrEqual(1e-5); // ε of the norm
    expect([...weights.dataSync()]).toEqual([0.5, 0.5]);
  });

  it("passes the gradient check for x, memory, gates and every parameter", () => {
    const all: Flat = {
      x: tensor(random(1, [1, 2, 5])),
      memory: tensor(random(2, [1, 3, 7])),
      ...blockTensors(3, { C: 5, Cy: 7, H: 1, D: 2, F: 3 }),
      ...{ attentionGate: tf.scalar(0.3), feedForwardGate: tf.scalar(-0.2) },
    };
    const f = ({ x, memory, ...t }: Flat) =>
      gatedCrossAttention({ x, memory } as ReturnType<typeof inputs>, parametersOf(t), { activation: "gelu" })
        .output;
    expect(() => gradcheckTensors(f, all, 256)).not.toThrow();
  });

  it("tells a capture of its gates, and leaves no tensor behind", () => {
    const seen: [string, number][] = [];
    const [given, own] = [inputs(), made(0.5, -1)];
    const call = () => gatedCrossAttention(given, own, { weights: true, mask: { keyLengths: [3, 0] } });
    expect(leftBehind(call)).toBe(0);
    gateCalls.during(
      ({ name, gate }) => seen.push([name, gate.dataSync()[0]!]),
      () => tf.tidy(() => void call()),
    );
    expect(seen.map(([name]) => name)).toEqual(["attentionGate", "feedForwardGate"]);
    expect(
      distance(
        seen.map(([, gate]) => gate),
        [0.5, -1].map(Math.tanh),
      ),
    ).toBeLessThanOrEqual(4 * ROUNDING);
  });

  it("hides what its mask hides, NaN and all", () => {
    const { x, memory } = inputs();
    const dirty = tf.where(
      tf.less(tf.reshape(tf.range(0, S), [1, S, 1]), 4),
      memory,
      Number.NaN,
    ) as tf.Tensor3D;
    const mask = { keyLengths: [4, 3] };
    const [clean, soiled] = [memory, dirty].map(
      (m) => gatedCrossAttention({ x, memory: m }, made(1, 1), { mask }).output,
    );
    expect([...soiled!.dataSync()]).toEqual([...clean!.dataSync()]);
  });

  it("refuses widths that do not fit", () => {
    const { x, memory } = inputs();
    const wide = () => gatedCrossAttention({ x: tf.zeros([B, T, C + 1]), memory }, made(0, 0));
    expect(wide).toThrow(ShapeError);
    expect(wide).toThrow(
      `gatedCrossAttention: crossAttention.wq [C, H, D] must keep the width C=${C + 1} of x, got shape [${C}, ${H}, ${D}]; ` +
        "what a sublayer computes is added to x",
    );
    expect(() => gatedCrossAttention({ x, memory: tf.zeros([B, S, CM + 1]) }, made(0, 0))).toThrow(
      `gatedCrossAttention: wk must be float32 of shape [Ck, Hkv, D] = [${CM + 1}, ${H}, ${D}], got float32 of shape ` +
        `[${CM}, ${H}, ${D}]; the letters must mean the same sizes in all of the call's tensors`,
    );
  });
});
