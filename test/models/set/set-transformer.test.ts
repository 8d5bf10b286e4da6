import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { SetTransformer } from "../../../src/models/set/set-transformer.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../../attention/support.ts";
import { expectGradients, expectReloads } from "./support.ts";

const [B, S, CIN] = [2, 7, 5];
const CONFIG = {
  ...{ inputWidth: CIN, width: 6, heads: 2, inner: 11, encoderLayers: 2, inducingPoints: 3 },
  ...{ seeds: 3, decoderLayers: 1, outputs: 2 },
};
const KINDS = [
  ["induced set attention", CONFIG],
  ["set attention", { ...CONFIG, inducingPoints: 0, encoderLayers: 1 }],
] as const;
const set = () => tensor<tf.Tensor3D>(random(1, [B, S, CIN]));
/** Some dozens of roundings of numbers near 1 in each of some ten sublayers with a norm. */
const NEAR = 1024 * ROUNDING;

onEveryBackend("SetTransformer", () => {
  for (const [kind, config] of KINDS) {
    it(`of ${kind}: the order of a set turns what the elements are, and not the function of the set`, () => {
      const model = new SetTransformer(config, 1);
      const turn = (x: tf.Tensor3D) => tf.gather(x, tf.tensor1d([3, 6, 0, 5, 1, 4, 2], "int32"), 1);
      const [whole, turned] = [model.forward(set()), model.forward(turn(set()))];
      expect(whole.shape).toEqual([B, 3, 2]);
      expect(distance(turned.dataSync(), whole.dataSync())).toBeLessThanOrEqual(NEAR);
      const [straight, encoded] = [turn(model.encode(set())), model.encode(turn(set()))];
      expect(distance(encoded.dataSync(), straight.dataSync())).toBeLessThanOrEqual(NEAR);
      expect(distance(encoded.dataSync(), model.encode(set()).dataSync())).toBeGreaterThan(0.1);
      model.dispose();
    });

    it(`of ${kind}: sets of different sizes are those that they are alone, and padding may be NaN`, () => {
      const model = new SetTransformer(config, 1);
      const padded = tf.where(
        tf.less(tf.reshape(tf.range(0, S), [1, S, 1]), tf.tensor3d([7, 4], [2, 1, 1])),
        set(),
        Number.NaN,
      );
      const both = model.forward(padded as tf.Tensor3D, { lengths: [7, 4] });
      for (const [b, length] of [7, 4].entries()) {
        const alone = model.forward(tf.slice(set(), [b, 0, 0], [1, length, CIN]));
        const own = tf.slice(both, [b, 0, 0], [1, 3, 2]);
        expect(distance(own.dataSync(), alone.dataSync())).toBeLessThanOrEqual(NEAR);
      }
      // A bias of keys adds the same to all scores of a query.
      const still = ["key/bias"];
      expectGradients(
        model,
        () => tf.sum(tf.square(model.forward(padded as tf.Tensor3D, { lengths: [7, 4] }))) as tf.Scalar,
        still,
      );
      model.dispose();
    });
  }

  it("is made again of its values, bit for bit, and leaves nothing behind", () => {
    const x = set();
    expectReloads(
      (start) => new SetTransformer(CONFIG, start),
      (model) => model.forward(x, { lengths: [7, 5] }),
    );
  });

  it("refuses configurations and sets that are none", () => {
    expect(() => new SetTransformer({ ...CONFIG, heads: 4 })).toThrow(
      "SetTransformer: width C=6 must be a multiple of heads H=4, got 6 and 4; correct the configuration",
    );
    expect(() => new SetTransformer({ ...CONFIG, seeds: 0 })).toThrow(
      "SetTransformer: seeds must be an integer ≥ 1, got 0; correct the configuration",
    );
    expect(() => new SetTransformer({ ...CONFIG, size: 1 } as never)).toThrow(
      "SetTransformer: every key must be one of inputWidth, width, heads, inner, seeds, outputs, encoderLayers, " +
        "inducingPoints, decoderLayers, got size; correct the configuration",
    );
    const model = new SetTransformer(CONFIG);
    const wide = () => model.encode(tf.zeros([B, S, CIN + 1]));
    expect(wide).toThrow(
      `SetTransformer.encode: x must be float32 of shape [B, S, Cin] = [${B}, ${S}, ${CIN}], got float32 of shape ` +
        `[${B}, ${S}, ${CIN + 1}]; the letters must mean the same sizes in all of the call's tensors`,
    );
    model.dispose();
  });
});
