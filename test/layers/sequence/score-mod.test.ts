/** `scoreMod` and `maskMod` in Keras' layers: what they do, what learns, and that such a layer is not saved. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { causalMaskMod } from "../../../src/core/expression/presets/index.ts";
import { MultiHeadAttention } from "../../../src/layers/index.ts";
import { useBuild } from "../../support/kernel-build.ts";

beforeAll(() => useBuild("relaxed"));
afterAll(() => tf.setBackend("cpu"));

const x = () => tf.randomNormal<tf.Rank.R3>([2, 7, 5], 0, 1, "float32", 3);

it("a causal maskMod is useCausalMask, to the last bit but rounding", () => {
  const outputs = tf.tidy(() => {
    const sizes = { numHeads: 2, keyDim: 3 };
    const [plain, modified] = [{ useCausalMask: true }, { maskMod: causalMaskMod() }].map(
      (given) => new MultiHeadAttention({ ...sizes, ...given }),
    );
    const one = plain!.apply(x()) as tf.Tensor;
    modified!.build([2, 7, 5]);
    modified!.setWeights(plain!.getWeights());
    return [one, modified!.apply(x()) as tf.Tensor].map((y) => Array.from(y.dataSync()));
  });
  const far = Math.max(...outputs[0]!.map((y, n) => Math.abs(y - outputs[1]![n]!)));
  expect(far).toBeLessThan(1e-6);
});

it("a captured variable learns, and the layer refuses to be saved in a sentence", () => {
  const slopes = tf.variable(tf.tensor1d([0.1, 0.2]));
  const layer = new MultiHeadAttention({
    numHeads: 2,
    keyDim: 3,
    scoreMod: (score, { h, q, k }, tensors) => score.sub(tensors.slopes!.at(h).mul(q.sub(k).abs())),
    tensors: { slopes },
  });
  const { grads, value } = tf.variableGrads(
    () => tf.sum(tf.square(layer.apply(x()) as tf.Tensor)) as tf.Scalar,
    [slopes],
  );
  expect(grads[slopes.name]!.shape).toEqual([2]);
  expect(grads[slopes.name]!.dataSync().every((g) => Number.isFinite(g) && g !== 0)).toBe(true);
  expect(() => layer.getConfig()).toThrow(
    "getConfig: a layer is saved as JSON, which cannot hold a function, got a layer with one; save its weights, and " +
      "make the layer anew with the function",
  );
  tf.dispose([grads, value, slopes]);
});

it("another thing than a function is refused", () => {
  const make = () => new MultiHeadAttention({ numHeads: 1, keyDim: 1, scoreMod: 3 as never });
  expect(make).toThrow("MultiHeadAttention: scoreMod must be a function, got");
});
