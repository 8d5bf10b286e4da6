/** A layer of heads of one's own, as the header of head-layer.ts writes it. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { softAttention } from "../../../src/attention/index.ts";
import { heads, MultiHeadAttention } from "../../../src/layers/index.ts";
import { registerLayers } from "../../../src/layers/register.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const fields = { ...heads.headFields, ...heads.sharedHeads, ...heads.causalMask, ...heads.dropout };

class SoftAttention extends heads.HeadLayer<typeof fields> {
  static readonly className: string = "SoftAttention";
  static readonly inputs = heads.KEYED;
  static readonly fields: typeof fields = fields;

  protected override attend({ q, k, v, options, layout }: heads.Heads): tf.Tensor4D {
    return softAttention(q, k, v, { ...options, layout }).output;
  }
}

class SideBySide extends SoftAttention {
  static override readonly className = "SideBySide";
  protected override readonly layout = "bthd";
}
registerLayers({ SoftAttention, SideBySide });

const [T, S, C, CV, CK] = [3, 5, 7, 2, 11];
const inputs = [
  [T, C],
  [S, CV],
  [S, CK],
];
const section = {
  "of three inputs": {
    args: { numHeads: 4, keyDim: 3 },
    inputs,
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"] },
    still: ["key/bias"],
  },
} as const;
describeLayer(SoftAttention, section);
describeLayer(SideBySide, section);

onEveryBackend("HeadLayer", () => {
  it("is Keras' MultiHeadAttention where its mechanism is softmax attention", () => {
    tf.tidy(() => {
      const x = layerInputs(inputs);
      const masks = [
        tf.tensor2d([1, 1, 1, 1, 0, 1], [2, T], "bool"),
        tf.tensor2d([1, 1, 0, 1, 0, 1, 1, 1, 1, 1], [2, S], "bool"),
        tf.tensor2d([1, 1, 1, 1, 1, 0, 1, 1, 1, 0], [2, S], "bool"),
      ];
      const args = { numHeads: 2, keyDim: 3, valueDim: 4, biasInitializer: "ones" };
      const call = { mask: masks } as never;
      const keras = new MultiHeadAttention(args);
      const expected = keras.apply(x, call) as tf.Tensor;
      for (const Class of [SoftAttention, SideBySide]) {
        const layer = new Class(args);
        layer.apply(x);
        expect(layer.weights.map((w) => w.originalName.replace(/^[^/]*/, ""))).toEqual(
          keras.weights.map((w) => w.originalName.replace(/^[^/]*/, "")),
        );
        layer.setWeights(keras.getWeights());
        const output = layer.apply(x, call) as tf.Tensor;
        // float32 sums of some dozens of products near 1, in another order.
        expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(1e-5);
      }
    });
  });
});
