/** Multi-head attention blocks, and what Set Transformer makes of them. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  inducedSetAttention,
  multiHeadAttentionBlock,
  poolingByAttention,
  transformerEncoderLayer,
} from "../../../src/attention/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { blockParameters, blockTensors, type Flat, leftBehind, small } from "./support.ts";

const [B, T, S, C, H, D, F, M] = [2, 5, 7, 11, 3, 2, 17, 4];
const sizes = { C, Cy: C, H, D, F };
const set = () => tensor<tf.Tensor3D>(random(1, [B, S, C]));
const induced = () => ({
  inducingPoints: small<tf.Tensor2D>(40, M, C),
  gather: blockParameters(blockTensors(50, sizes)),
  scatter: blockParameters(blockTensors(70, sizes)),
});
const pooling = () => ({
  seeds: small<tf.Tensor2D>(40, T, C),
  feedForward: { w1: small<tf.Tensor2D>(41, C, F), w2: small<tf.Tensor2D>(42, F, C) },
  block: blockParameters(blockTensors(50, sizes)),
});
const order = () => tf.tensor1d([3, 6, 0, 5, 1, 4, 2], "int32");
const permuted = (x: tf.Tensor3D) => tf.gather(x, order(), 1);

// Outputs are normalised, so near 1; each is behind a few hundred roundings, which a norm may make a few times larger.
const NEAR = 256 * ROUNDING;

onEveryBackend("multiHeadAttentionBlock", () => {
  it("with y = x is the encoder layer of a Transformer", () => {
    const parameters = blockParameters(blockTensors(2, sizes));
    const { attention: selfAttention, attentionNorm: selfNorm, ...rest } = parameters;
    const own = multiHeadAttentionBlock(set(), set(), parameters).output;
    const layer = transformerEncoderLayer(set(), { selfAttention, selfNorm, ...rest }).output;
    expect([...own.dataSync()]).toEqual([...layer.dataSync()]);
  });

  it("computes a case worked by hand: the mean of what is read is added, then twice its size", () => {
    // Zero scores: x reads the mean of y, (2, 0); h = norm(x + (2, 0)) = norm(3, 1) = (1, −1); relu(h) = (1, 0);
    // output = norm((1, −1) + (1, 0)) = norm(2, −1) = (1, −1).
    const w = tf.zeros([2, 1, 2]) as tf.Tensor3D;
    const eye = tf.eye(2);
    const one = tf.reshape(eye, [2, 1, 2]) as tf.Tensor3D;
    const attention = { wq: w, wk: w, wv: one, wo: tf.reshape(eye, [1, 2, 2]) as tf.Tensor3D };
    const parameters = {
      attention,
      attentionNorm: {},
      feedForward: { w1: eye, w2: eye },
      feedForwardNorm: {},
    };
    const x = tf.tensor3d([1, 1], [1, 1, 2]);
    const y = tf.tensor3d([4, 1, 0, -1], [1, 2, 2]);
    const { output, weights } = multiHeadAttentionBlock(x, y, parameters, { weights: true });
    expect(distance(output.dataSync(), [1, -1])).toBeLessThanOrEqual(1e-5); // ε of the norms
    expect([...weights.dataSync()]).toEqual([0.5, 0.5]);
  });

  it("passes the gradient check for x, y and every parameter", () => {
    const all: Flat = {
      x: tensor(random(1, [1, 2, 5])),
      y: tensor(random(2, [1, 3, 7])),
      ...blockTensors(3, { C: 5, Cy: 7, H: 1, D: 2, F: 3 }),
    };
    const f = ({ x, y, ...t }: Flat) =>
      multiHeadAttentionBlock(x as tf.Tensor3D, y as tf.Tensor3D, blockParameters(t), { activation: "gelu" })
        .output;
    // The ε of the check covers a hundred roundings of each of two norms.
    expect(() => gradcheckTensors(f, all, 256)).not.toThrow();
  });

  it("refuses sets that do not fit, in whole sentences", () => {
    const parameters = blockParameters(blockTensors(2, sizes));
    const call = (x: tf.Tensor, y: tf.Tensor) => () =>
      multiHeadAttentionBlock(x as tf.Tensor3D, y as tf.Tensor3D, parameters);
    expect(call(tf.zeros([B, T]), set())).toThrow(ShapeError);
    expect(call(tf.zeros([B, T]), set())).toThrow(
      `multiHeadAttentionBlock: x [B, T, C] must have rank 3, got shape [${B}, ${T}]; reshape it first`,
    );
    expect(call(tf.zeros([B, T, C + 1]), set())).toThrow(
      `multiHeadAttentionBlock: attention.wq [C, H, D] must keep the width C=${C + 1} of x, got shape [${C}, ${H}, ${D}]; ` +
        "what a sublayer computes is added to x",
    );
  });
});

onEveryBackend("inducedSetAttention", () => {
  it("is the two blocks after one another", () => {
    const { inducingPoints, gather, scatter } = induced();
    const points = tf.tile(tf.expandDims(inducingPoints, 0), [B, 1, 1]) as tf.Tensor3D;
    const h = multiHeadAttentionBlock(points, set(), gather).output;
    const both = multiHeadAttentionBlock(set(), h, scatter).output;
    const { output, weights } = inducedSetAttention(set(), induced(), { weights: true });
    expect([...output.dataSync()]).toEqual([...both.dataSync()]);
    expect(weights.gather.shape).toEqual([B, H, M, S]);
    expect(weights.scatter.shape).toEqual([B, H, S, M]);
  });

  it("permutes its output with the set", () => {
    const straight = permuted(inducedSetAttention(set(), induced()).output);
    const turned = inducedSetAttention(permuted(set()), induced()).output;
    expect(distance(straight.dataSync(), turned.dataSync())).toBeLessThanOrEqual(NEAR);
  });

  it("is that of the smaller set where elements are not there, whatever stands in their place", () => {
    const there = [1, 1, 0, 1, 0, 1, 1];
    const kept = tf.tensor1d(
      there.flatMap((n, s) => (n ? [s] : [])),
      "int32",
    );
    const allow = tf.tensor1d(there, "bool");
    const dirty = tf.where(tf.reshape(allow, [1, S, 1]), set(), Number.NaN) as tf.Tensor3D;
    const { output } = inducedSetAttention(dirty, induced(), { allow });
    const smaller = inducedSetAttention(tf.gather(set(), kept, 1), induced()).output;
    expect(distance(tf.gather(output, kept, 1).dataSync(), smaller.dataSync())).toBeLessThanOrEqual(NEAR);
    const gone = tf.gather(output, tf.tensor1d([2, 4], "int32"), 1).dataSync();
    expect(gone.every((value: number) => value === 0)).toBe(true);
    const weight = induced().gather.attention.wk;
    const gradient = tf.grad((wk) => {
      const given = induced();
      const attention = { ...given.gather.attention, wk: wk as tf.Tensor3D };
      return inducedSetAttention(dirty, { ...given, gather: { ...given.gather, attention } }, { allow })
        .output;
    })(weight);
    expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
    const empty = inducedSetAttention(dirty, induced(), { allow: tf.zeros([B, S], "bool") }).output;
    expect(empty.dataSync().every((value: number) => value === 0)).toBe(true);
  });

  it("passes the gradient check for the set, the inducing points and a map of each block", () => {
    const named = (prefix: string, t: Flat) =>
      Object.fromEntries(Object.entries(t).map(([name, value]) => [prefix + name, value]));
    const narrow = { C: 5, Cy: 5, H: 1, D: 2, F: 3 };
    const all: Flat = {
      x: tensor(random(1, [1, 3, 5])),
      points: small(2, 2, 5),
      ...named("gather.", blockTensors(3, narrow)),
      ...named("scatter.", blockTensors(23, narrow)),
    };
    const of = (t: Flat, prefix: string) =>
      blockParameters(
        Object.fromEntries(
          Object.entries(t).flatMap(([name, value]) =>
            name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
          ),
        ),
      );
    const f = (given: Flat) => {
      const t = { ...all, ...given };
      return inducedSetAttention(
        t.x as tf.Tensor3D,
        { inducingPoints: t.points as tf.Tensor2D, gather: of(t, "gather."), scatter: of(t, "scatter.") },
        { activation: "gelu", preNorm: true },
      ).output;
    };
    // A map of each block: the others are checked with the block itself.
    const checked = ["x", "points", "gather.wv", "scatter.wk"].map((name) => [name, all[name]!] as const);
    expect(() => gradcheckTensors(f, Object.fromEntries(checked), 256)).not.toThrow();
  });

  it("leaves no tensor behind, and refuses inducing points and masks that do not fit", () => {
    const [x, parameters, allow] = [set(), induced(), tf.ones([S], "bool")];
    expect(leftBehind(() => inducedSetAttention(x, parameters, { allow, weights: true }))).toBe(0);
    expect(() => inducedSetAttention(x, parameters, { allow: tf.ones([S + 1], "bool") })).toThrow(
      `inducedSetAttention: allow must have shape [S] = [${S}], where any length may be 1, got [${S + 1}]; reshape it so ` +
        "that every axis is named",
    );
    const points = tf.zeros<tf.Rank.R2>([M, C + 1]);
    expect(() => inducedSetAttention(x, { ...parameters, inducingPoints: points })).toThrow(
      `inducedSetAttention: attention.wq [C, H, D] must keep the width C=${C + 1} of x, got shape [${C}, ${H}, ${D}]; ` +
        "what a sublayer computes is added to x",
    );
  });
});

onEveryBackend("poolingByAttention", () => {
  it("does not depend on the order of the set", () => {
    const straight = poolingByAttention(set(), pooling(), { weights: true });
    const turned = poolingByAttention(permuted(set()), pooling()).output;
    expect(straight.output.shape).toEqual([B, T, C]);
    expect(straight.weights.shape).toEqual([B, H, T, S]);
    expect(distance(straight.output.dataSync(), turned.dataSync())).toBeLessThanOrEqual(NEAR);
  });

  it("is the block over the mapped set, and leaves out what is not there, NaN and all", () => {
    const { seeds, feedForward, block } = pooling();
    const there = tf.tensor2d([1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0], [B, S], "bool");
    const dirty = tf.where(tf.expandDims(there, 2), set(), Number.NaN) as tf.Tensor3D;
    const { output } = poolingByAttention(dirty, pooling(), { allow: there });
    const kept = tf.gather(set(), tf.tensor1d([0, 1, 2, 4, 6], "int32"), 1);
    const first = poolingByAttention(kept, pooling()).output;
    const row = (t: tf.Tensor3D, b: number) => tf.slice(t, [b, 0, 0], [1, T, C]).dataSync();
    expect(distance(row(output, 0), row(first, 0))).toBeLessThanOrEqual(NEAR);
    // The second set is empty: its seeds read the bias of the output alone.
    const nothing = tf.zeros<tf.Rank.R3>([B, 1, C]);
    const still = {
      ...block.attention,
      wv: tf.zerosLike(block.attention.wv),
      bv: tf.zeros<tf.Rank.R2>([H, D]),
    };
    const alone = poolingByAttention(nothing, { seeds, feedForward, block: { ...block, attention: still } });
    expect(distance(row(output, 1), row(alone.output, 1))).toBeLessThanOrEqual(NEAR);
  });

  it("passes the gradient check for the set and the seeds", () => {
    const narrow = { C: 5, Cy: 5, H: 1, D: 2, F: 3 };
    const feedForward = { w1: small<tf.Tensor2D>(41, 5, 3), w2: small<tf.Tensor2D>(42, 3, 5) };
    const block = blockParameters(blockTensors(50, narrow));
    const all = { x: tensor(random(1, [1, 3, 5])), seeds: small(40, 2, 5) };
    const f = (t: Flat) =>
      poolingByAttention(
        t.x as tf.Tensor3D,
        { seeds: t.seeds as tf.Tensor2D, feedForward, block },
        { activation: "gelu" },
      ).output;
    expect(() => gradcheckTensors(f, all, 256)).not.toThrow();
  });

  it("refuses maps of another width", () => {
    const feedForward = { w1: tf.zeros<tf.Rank.R2>([C + 1, F]), w2: tf.zeros<tf.Rank.R2>([F, C]) };
    expect(() => poolingByAttention(set(), { ...pooling(), feedForward })).toThrow(
      `poolingByAttention: w1 [C, F] must keep the width C=${C} of x, got shape [${C + 1}, ${F}]; what a sublayer computes ` +
        "is added to x",
    );
  });
});
