import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { PerceiverIO } from "../../../src/models/set/perceiver-io.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../../attention/support.ts";
import { expectGradients, expectReloads } from "./support.ts";

const B = 2;
const INPUTS = {
  text: { shape: [7], bands: 2, vocabulary: 11 },
  image: { shape: [3, 5], bands: 2, width: 3 },
  sound: { shape: [13], bands: 3, width: 1 },
};
const CONFIG = {
  inputs: INPUTS,
  ...{
    inputWidth: 5,
    latents: 3,
    width: 6,
    heads: 2,
    inner: 7,
    layers: 1,
    queries: 2,
    queryWidth: 4,
    outputs: 3,
  },
};
const given = () => ({
  text: tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7], [B, 7], "int32"),
  image: tensor(random(2, [B, 3, 5, 3])),
  sound: tensor(random(3, [B, 13, 1])),
});
const answer = (model: PerceiverIO, inputs: ReturnType<typeof given>) => model.decode(model.encode(inputs));
/** Some dozens of roundings of numbers near 1 in each of some six sublayers with a norm. */
const NEAR = 1024 * ROUNDING;

onEveryBackend("PerceiverIO", () => {
  it("reads text, an image and a sound in one call, and each of them matters", () => {
    const model = new PerceiverIO(CONFIG, 1);
    const all = answer(model, given());
    expect(all.shape).toEqual([B, 2, 3]);
    for (const name of Object.keys(INPUTS) as (keyof typeof INPUTS)[]) {
      const { [name]: _, ...others } = given();
      const without = model.decode(model.encode(others));
      expect(distance(without.dataSync(), all.dataSync()), name).toBeGreaterThan(1e-4);
      const changed = { ...given(), [name]: tf.reverse(given()[name], 1) };
      expect(distance(answer(model, changed).dataSync(), all.dataSync()), name).toBeGreaterThan(1e-5);
    }
    const queries = tensor<tf.Tensor3D>(random(9, [B, 5, 4]));
    const loss = () => {
      const latents = model.encode(given());
      return tf.add(
        ...([undefined, queries].map((asked) => tf.sum(tf.square(model.decode(latents, asked)))) as [
          tf.Tensor,
          tf.Tensor,
        ]),
      ) as tf.Scalar;
    };
    // A bias of keys adds the same to all scores of a query.
    expectGradients(model, loss, ["key/bias"]);
    model.dispose();
  });

  it("answers any number of queries, each by itself", () => {
    const model = new PerceiverIO(CONFIG, 1);
    const latents = model.encode(given());
    const queries = tensor<tf.Tensor3D>(random(9, [B, 5, 4]));
    const all = model.decode(latents, queries);
    expect(all.shape).toEqual([B, 5, 3]);
    const one = model.decode(latents, tf.slice(queries, [0, 3, 0], [B, 1, 4]));
    expect(distance(one.dataSync(), tf.slice(all, [0, 3, 0], [B, 1, 3]).dataSync())).toBeLessThanOrEqual(
      NEAR,
    );
    model.dispose();
  });

  it("a shorter input is the first positions of a longer one, and padding reaches nothing", () => {
    const model = new PerceiverIO(CONFIG, 1);
    const { text, image, sound } = given();
    const short = { text, image, sound: tf.slice(sound, [0, 0, 0], [B, 6, 1]) };
    const there = tf.less(tf.reshape(tf.range(0, 13), [1, 13, 1]), 6);
    const dirty = { text, image, sound: tf.where(there, sound, Number.NaN) };
    const padded = model.encode(dirty, { lengths: { sound: [6, 6] } });
    expect(distance(padded.dataSync(), model.encode(short).dataSync())).toBeLessThanOrEqual(NEAR);
    model.dispose();
  });

  it("does not depend on the order in which its inputs are named", () => {
    const model = new PerceiverIO(CONFIG, 1);
    const { text, image, sound } = given();
    const turned = answer(model, { sound, text, image });
    expect(distance(turned.dataSync(), answer(model, given()).dataSync())).toBeLessThanOrEqual(NEAR);
    model.dispose();
  });

  it("is made again of its values, bit for bit, and leaves nothing behind", () => {
    const inputs = given();
    expectReloads(
      (start) => new PerceiverIO(CONFIG, start),
      (model) => answer(model, inputs),
    );
  });

  it("refuses inputs, lengths and queries that it has not, in whole sentences", () => {
    const model = new PerceiverIO({ ...CONFIG, queryWidth: 0 }, 1);
    const { text, image, sound } = given();
    const encode =
      (inputs: object, lengths = {}) =>
      () =>
        model.encode(inputs as never, { lengths });
    expect(encode({ smell: text })).toThrow(
      "PerceiverIO.encode: every input must be one of text, image, sound, got smell; correct its name or leave it out",
    );
    expect(encode({})).toThrow(
      "PerceiverIO.encode: there must be an input, got none; pass one or more of text, image, sound",
    );
    expect(encode({ text }, { sound: [1, 2] })).toThrow(
      "PerceiverIO.encode: lengths must be of an input of the call, got sound; correct its name or leave it out",
    );
    expect(encode({ image }, { image: [1, 2] })).toThrow(
      "PerceiverIO.encode: lengths.image must be of an input of one axis, got [3, 5]; leave them out",
    );
    expect(encode({ sound: tf.zeros([B, 14, 1]) })).toThrow(
      "PerceiverIO.encode: sound must have 1 to [13] positions along its axes, got [14]; cut it, or make a model with a " +
        "larger shape",
    );
    expect(encode({ text: tf.zeros([B, 7]), sound })).toThrow(
      "PerceiverIO.encode: text must be int32 of shape [B, …] = [2, 7], got float32 of shape [2, 7]; the letters must mean " +
        "the same sizes in all of the call's tensors",
    );
    const latents = tf.zeros<tf.Rank.R3>([B, 3, 6]);
    expect(() => model.decode(latents, tf.zeros([B, 1, 4]))).toThrow(
      "PerceiverIO.decode: the model must have a queryWidth to be asked, got queries in the call; leave them out, or make a " +
        "model with queryWidth",
    );
    expect(() => new PerceiverIO({ ...CONFIG, queries: 0, queryWidth: 0 })).toThrow(
      "PerceiverIO: there must be output queries, got queries=0 and queryWidth=0; correct the configuration",
    );
    expect(() => new PerceiverIO({ ...CONFIG, inputs: { text: { shape: [], bands: 1, width: 1 } } })).toThrow(
      "PerceiverIO, inputs.text: shape must be one integer ≥ 1 for each axis, got ; correct the configuration",
    );
    model.dispose();
  });
});
