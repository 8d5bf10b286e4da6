import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { QuantumSelfAttentionNetwork } from "../../src/models/quantum-self-attention-network.ts";
import { distance, onEveryBackend, ROUNDING } from "../attention/support.ts";

const SIZES = { vocabulary: 11, qubits: 2, layers: 2, depth: 0 };
const [B, T] = [3, 5];
const tokens = (padding = 0) =>
  tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, padding, padding, ...new Array(5).fill(padding)], [B, T], "int32");
const lengths = [5, 3, 0];

onEveryBackend("QuantumSelfAttentionNetwork, simulated", () => {
  it("gives a number for each sentence, the same whatever the padding and the order of its words", () => {
    tf.tidy(() => {
      const model = new QuantumSelfAttentionNetwork(SIZES, 1);
      const logits = model.logits(tokens(), { lengths });
      expect(logits.shape).toEqual([B]);
      expect(model.logits(tokens(9), { lengths }).dataSync()).toEqual(logits.dataSync());
      const backwards = tf.tensor2d([5, 4, 3, 2, 1, 8, 7, 6, 0, 0, 0, 0, 0, 0, 0], [B, T], "int32");
      const turned = model.logits(backwards, { lengths });
      expect(distance(turned.dataSync(), logits.dataSync())).toBeLessThanOrEqual(256 * ROUNDING);
      // A sentence without words has the bias, which begins at 0.
      expect(logits.dataSync()[2]).toBe(0);
      expect(model.parameters.size).toBe(11 * 6 + 2 * 3 * 4 + 6 + 1);
      model.dispose();
    });
  });

  it("without attention is a bag of words: a mean of numbers of each", () => {
    tf.tidy(() => {
      const model = new QuantumSelfAttentionNetwork({ ...SIZES, layers: 0 }, 1);
      const single = model.logits(tf.tensor2d([6, 7, 8], [3, 1], "int32")).dataSync();
      const joined = model.logits(tf.tensor2d([6, 7, 8], [1, 3], "int32")).dataSync()[0]!;
      expect(Math.abs(joined - (single[0]! + single[1]! + single[2]!) / 3)).toBeLessThanOrEqual(
        16 * ROUNDING,
      );
      const attentive = new QuantumSelfAttentionNetwork(SIZES, 1);
      const apart = attentive.logits(tf.tensor2d([6, 7, 8], [3, 1], "int32")).dataSync();
      const together = attentive.logits(tf.tensor2d([6, 7, 8], [1, 3], "int32")).dataSync()[0]!;
      expect(Math.abs(together - (apart[0]! + apart[1]! + apart[2]!) / 3)).toBeGreaterThan(1e-3);
      tf.dispose([model.parameters.variables, attentive.parameters.variables]);
    });
  });

  it("has a gradient for every parameter, shows its weights, and leaves no tensor behind", () => {
    tf.tidy(() => {
      const model = new QuantumSelfAttentionNetwork(SIZES, 1);
      const loss = () => tf.sum<tf.Scalar>(tf.square(tf.add(model.logits(tokens(), { lengths }), 1)));
      const { grads } = tf.variableGrads(loss);
      for (const variable of Object.values(model.parameters.variables)) {
        const gradient = grads[variable.name]!.dataSync();
        expect(gradient.every(Number.isFinite)).toBe(true);
        expect(gradient.some((value) => value !== 0)).toBe(true);
      }
      const x = tokens();
      const before = tf.memory().numTensors;
      const sums: number[] = [];
      model.logits(x, {
        lengths,
        onWeights: (_, weights) => sums.push(...tf.tidy(() => tf.sum(weights, 2).dataSync())),
      });
      expect(tf.memory().numTensors).toBe(before + 1);
      const expected = lengths.flatMap((n) => new Array(T).fill(n > 0 ? 1 : 0));
      expect(distance(sums, [...expected, ...expected])).toBeLessThanOrEqual(8 * ROUNDING);
      model.dispose();
    });
  });

  it.each([
    [
      { ...SIZES, qubits: 9 },
      "QuantumSelfAttentionNetwork: a simulated register must have an integer from 1 to 8 qubits, got 9; use fewer qubits; the state vector doubles with each",
    ],
    [
      { ...SIZES, vocabulary: 0 },
      "QuantumSelfAttentionNetwork: vocabulary must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
  ])("refuses %j before it takes memory", (config, message) => {
    const before = tf.memory().numTensors;
    expect(() => new QuantumSelfAttentionNetwork(config, 1)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses other lengths and tokens of another rank", () => {
    const model = new QuantumSelfAttentionNetwork(SIZES, 1);
    const attempt = (x: tf.Tensor, given?: number[]) => () =>
      tf.tidy(() => model.logits(x as tf.Tensor2D, given ? { lengths: given } : {}));
    expect(attempt(tokens(), [5, 3])).toThrow(
      "QuantumSelfAttentionNetwork: lengths must be B=3 integers from 0 to 5, got [5, 3]; give one length per example",
    );
    expect(attempt(tokens(), [5, 3])).toThrow(OptionError);
    expect(attempt(tf.zeros([3], "int32"))).toThrow(
      "QuantumSelfAttentionNetwork: tokens [B, T] must have rank 2, got shape [3]; reshape it first",
    );
    model.dispose();
  });
});
