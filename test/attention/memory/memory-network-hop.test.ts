import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { memoryNetworkHop, sentencePositions } from "../../../src/attention/memory/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { attentionCalls } from "../../../src/ops/attention/observe.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, expectRefusal, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, S, C] = [2, 5, 7];
const CLOSE = 64 * ROUNDING;
const LETTERS = "the letters must mean the same sizes in all of the call's tensors";

const inputs = () => ({
  u: tensor<tf.Tensor2D>(random(1, [B, C])),
  m: tensor<tf.Tensor3D>(random(2, [B, S, C])),
  c: tensor<tf.Tensor3D>(random(3, [B, S, C])),
  h: tensor<tf.Tensor2D>(random(4, [C, C])),
});

onEveryBackend("memoryNetworkHop", () => {
  it("reads the memory as the paper says, sentence by sentence, and adds the question", () => {
    tf.tidy(() => {
      const { u, m, c, h } = inputs();
      const lengths = [3, S];
      const { output, weights } = memoryNetworkHop(u, m, c, { h, keyLengths: lengths, weights: true });
      const [uu, mm, cc, hh] = [u, m, c, h].map((x) => Array.from(x.dataSync()));
      const expected: number[] = [];
      const shares: number[] = [];
      for (let b = 0; b < B; b++) {
        const scores = Array.from({ length: S }, (_, i) =>
          i < lengths[b]!
            ? Math.exp(
                uu!.slice(b * C, (b + 1) * C).reduce((sum, x, k) => sum + x * mm![(b * S + i) * C + k]!, 0),
              )
            : 0,
        );
        const p = scores.map((score) => score / scores.reduce((a, x) => a + x));
        shares.push(...p);
        for (let k = 0; k < C; k++) {
          const mapped = Array.from({ length: C }, (_, e) => uu![b * C + e]! * hh![e * C + k]!);
          const read = p.map((weight, i) => weight * cc![(b * S + i) * C + k]!);
          expected.push([...mapped, ...read].reduce((a, x) => a + x));
        }
      }
      expect(distance(weights.dataSync(), shares)).toBeLessThanOrEqual(CLOSE);
      expect(distance(output.dataSync(), expected)).toBeLessThanOrEqual(4 * CLOSE);
    });
  });

  it("worked by hand: u = (0, 1) reads a quarter of one sentence and three of the other", () => {
    tf.tidy(() => {
      const m = tf.tensor3d([
        [
          [5, 0],
          [5, Math.log(3)],
        ],
      ]);
      const c = tf.tensor3d([
        [
          [4, 0],
          [8, 0],
        ],
      ]);
      const { output, weights } = memoryNetworkHop(tf.tensor2d([[0, 1]]), m, c, { weights: true });
      expect(distance(weights.dataSync(), [0.25, 0.75])).toBeLessThanOrEqual(CLOSE);
      expect(distance(output.dataSync(), [7, 1])).toBeLessThanOrEqual(8 * CLOSE);
    });
  });

  it("has gradients that agree with differences, with a map and with hidden sentences", () => {
    tf.tidy(() => {
      const { u, m, c, h } = inputs();
      const x = { u: tf.mul(u, 0.3), m: tf.mul(m, 0.3), c, h };
      const f = ({ u, m, c, h }: Record<string, tf.Tensor>) =>
        memoryNetworkHop(u as never, m as never, c as never, { h: h as never, keyLengths: [3, S] }).output;
      expect(() => gradcheckTensors(f, x)).not.toThrow();
    });
  });

  it("leaves the softmax out where it is linear, by hand and by its gradients", () => {
    tf.tidy(() => {
      const m = tf.tensor3d([
        [
          [1, 2],
          [3, 0.5],
          [7, 7],
        ],
      ]);
      const c = tf.tensor3d([
        [
          [4, 0],
          [8, 1],
          [Number.NaN, 9],
        ],
      ]);
      const options = { linear: true, keyLengths: [2], weights: true } as const;
      const { output, weights } = memoryNetworkHop(tf.tensor2d([[1, 2]]), m, c, options);
      expect([...weights.dataSync()]).toEqual([5, 4, 0]); // u·m, and nothing of what is hidden
      expect([...output.dataSync()]).toEqual([1 + 20 + 32, 2 + 4]);
      const x = inputs();
      const f = ({ u, m, c, h }: Record<string, tf.Tensor>) =>
        memoryNetworkHop(u as never, m as never, c as never, {
          h: h as never,
          linear: true,
          keyLengths: [3, S],
        }).output;
      expect(() => gradcheckTensors(f, x)).not.toThrow();
    });
  });

  it.each([false, true])(
    "lets NaN in padding leak nowhere, and reads 0 from no sentence, linear: %s",
    (linear) => {
      tf.tidy(() => {
        const { u, m, c } = inputs();
        const hidden = tf.tensor3d(
          Array.from({ length: B * S * C }, (_, n) => (Math.floor(n / C) % S < 3 ? 0 : Number.NaN)),
          [B, S, C],
        );
        const keyLengths = [3, 0];
        const clean = memoryNetworkHop(u, m, c, { keyLengths, linear }).output.dataSync();
        const dirty = memoryNetworkHop(u, tf.add(m, hidden), tf.add(c, hidden), {
          keyLengths,
          linear,
        }).output.dataSync();
        expect(dirty).toEqual(clean);
        expect(clean.slice(C)).toEqual(u.dataSync().slice(C));
      });
    },
  );

  it("is a call of attention of one query for a capture, and leaves no tensor behind", () => {
    const { u, m, c, h } = inputs();
    const before = tf.memory().numTensors;
    const shapes: unknown[] = [];
    const made = attentionCalls.during(
      ({ program }) => void shapes.push([program.op, program.shapes.T, program.shapes.S]),
      () => memoryNetworkHop(u, m, c, { weights: true }),
    );
    expect(shapes).toEqual([["memoryNetworkHop", 1, S]]);
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose([made.output, made.weights, u, m, c, h]);
  });

  const refused: [string, typeof ShapeError | typeof OptionError, () => unknown, string][] = [
    [
      "a memory of another width than the question",
      ShapeError,
      () => memoryNetworkHop(tf.ones([B, C]), tf.ones([B, S, 4]), tf.ones([B, S, C])),
      `memoryNetworkHop: m must be float32 of shape [B, S, C] = [2, 5, 7], got float32 of shape [2, 5, 4]; ${LETTERS}`,
    ],
    [
      "values of another number of sentences",
      ShapeError,
      () => memoryNetworkHop(tf.ones([B, C]), tf.ones([B, S, C]), tf.ones([B, 4, C])),
      `memoryNetworkHop: c must be float32 of shape [B, S, C] = [2, 5, 7], got float32 of shape [2, 4, 7]; ${LETTERS}`,
    ],
    [
      "no sentence at all",
      ShapeError,
      () => memoryNetworkHop(tf.ones([B, C]), tf.ones([B, 0, C]), tf.ones([B, 0, C])),
      "memoryNetworkHop: a memory must have S ≥ 1 slots, got S = 0; weights over nothing cannot add up to 1; give it a slot",
    ],
    ...[false, true].map(
      (linear): [string, typeof OptionError | typeof ShapeError, () => unknown, string] => [
        `more sentences than there are, linear: ${linear}`,
        OptionError,
        () =>
          memoryNetworkHop(tf.ones([B, C]), tf.ones([B, S, C]), tf.ones([B, S, C]), {
            linear,
            keyLengths: [3, 6],
          }),
        "memoryNetworkHop: keyLengths must be B=2 integers from 0 to 5, got [3, 6]; give one length per example",
      ],
    ),
    [
      "a sentence of no words",
      OptionError,
      () => sentencePositions(0, 4),
      "sentencePositions: J must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    expectRefusal(call, type, message);
  });
});

onEveryBackend("sentencePositions", () => {
  it("weighs the words as the paper says, so that their order matters and their sum does not vanish", () => {
    tf.tidy(() => {
      const [J, width] = [3, 5];
      const table = sentencePositions(J, width).dataSync();
      for (let j = 1; j <= J; j++)
        for (let k = 1; k <= width; k++) {
          const expected = 1 - j / J - (k / width) * (1 - (2 * j) / J);
          expect(table[(j - 1) * width + k - 1]).toBeCloseTo(expected, 6);
        }
      // In the middle of a sentence, j = J/2, the weight is ½ in every channel.
      expect([...sentencePositions(2, 4).dataSync()]).toEqual([0.5, 0.5, 0.5, 0.5, 0.25, 0.5, 0.75, 1]);
    });
  });
});
