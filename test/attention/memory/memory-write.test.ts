import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { eraseAndAdd, readSlots } from "../../../src/attention/memory/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, S, D] = [2, 5, 7];
const CLOSE = 32 * ROUNDING;
const LETTERS = "the letters must mean the same sizes in all of the call's tensors";

function inputs(H: number) {
  return {
    memory: tensor<tf.Tensor3D>(random(1, [B, S, D])),
    weights: tf.softmax(tensor<tf.Tensor3D>(random(2, [B, H, S]))),
    erase: tf.sigmoid(tensor<tf.Tensor3D>(random(3, [B, H, D]))),
    add: tensor<tf.Tensor3D>(random(4, [B, H, D])),
  };
}

onEveryBackend("reading and writing slots", () => {
  it.each([1, 3])("writes as the paper says, number by number, with %s heads", (H) => {
    tf.tidy(() => {
      const { memory, weights, erase, add } = inputs(H);
      const [m, w, e, a] = [memory, weights, erase, add].map((x) => x.dataSync());
      const expected = Array.from(m!, (value, n) => {
        const [b, i, d] = [Math.floor(n / (S * D)), Math.floor(n / D) % S, n % D];
        let [kept, added] = [value, 0];
        for (let h = 0; h < H; h++) {
          const weight = w![(b * H + h) * S + i]!;
          kept *= 1 - weight * e![(b * H + h) * D + d]!;
          added += weight * a![(b * H + h) * D + d]!;
        }
        return kept + added;
      });
      const written = eraseAndAdd(memory, weights, erase, add);
      expect(distance(written.dataSync(), expected)).toBeLessThanOrEqual(CLOSE);
      const read = readSlots(memory, weights).dataSync();
      const mean = Array.from({ length: B * H * D }, (_, n) => {
        const [b, h, d] = [Math.floor(n / (H * D)), Math.floor(n / D) % H, n % D];
        let sum = 0;
        for (let i = 0; i < S; i++) sum += w![(b * H + h) * S + i]! * m![(b * S + i) * D + d]!;
        return sum;
      });
      expect(distance(read, mean)).toBeLessThanOrEqual(CLOSE);
    });
  });

  it.each([1, 3])("has gradients that agree with differences, with %s heads", (H) => {
    tf.tidy(() => {
      const { memory, weights, erase, add } = inputs(H);
      const write = (x: Record<string, tf.Tensor>) =>
        eraseAndAdd(...([x.memory, x.weights, x.erase, x.add] as Parameters<typeof eraseAndAdd>));
      expect(() => gradcheckTensors(write, { memory, weights, erase, add })).not.toThrow();
      const read = (x: Record<string, tf.Tensor>) =>
        readSlots(x.memory as tf.Tensor3D, x.weights as tf.Tensor3D);
      expect(() => gradcheckTensors(read, { memory, weights })).not.toThrow();
    });
  });

  it("worked by hand: erases half of a column where a head looks, and leaves other slots alone to the bit", () => {
    tf.tidy(() => {
      const memory = tf.tensor3d([
        [
          [0.1, 0.2],
          [3, 4],
        ],
      ]);
      const weights = tf.tensor3d([[[0, 0.5]]]);
      const written = eraseAndAdd(memory, weights, tf.tensor3d([[[1, 0]]]), tf.tensor3d([[[10, 20]]]));
      expect([...written.dataSync()]).toEqual([Math.fround(0.1), Math.fround(0.2), 6.5, 14]);
    });
  });

  it("leaves no tensor behind", () => {
    const { memory, weights, erase, add } = inputs(3);
    const before = tf.memory().numTensors;
    const made = [eraseAndAdd(memory, weights, erase, add), readSlots(memory, weights)];
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose([...made, memory, weights, erase, add]);
  });

  it("refuses weights of another memory, and an erase vector of another width", () => {
    tf.tidy(() => {
      const { memory, weights, erase, add } = inputs(3);
      const refused: [() => unknown, string][] = [
        [
          () => readSlots(tf.ones([B, 4, D]), weights),
          `readSlots: memory must be float32 of shape [B, S, D] = [2, 5, 7], got float32 of shape [2, 4, 7]; ${LETTERS}`,
        ],
        [
          () => eraseAndAdd(memory, weights, tf.ones([B, 3, 4]), add),
          `eraseAndAdd: erase must be float32 of shape [B, H, D] = [2, 3, 7], got float32 of shape [2, 3, 4]; ${LETTERS}`,
        ],
        [
          () => eraseAndAdd(memory, weights, erase, tf.ones([B, 2, D])),
          `eraseAndAdd: add must be float32 of shape [B, H, D] = [2, 3, 7], got float32 of shape [2, 2, 7]; ${LETTERS}`,
        ],
      ];
      for (const [call, message] of refused) {
        expect(call).toThrow(ShapeError);
        expect(call).toThrow(expect.objectContaining({ message }));
      }
    });
  });
});
