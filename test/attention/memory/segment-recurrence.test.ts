import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  appendToMemory,
  relativeSinusoids,
  type TransformerXlOptions,
  transformerXlAttention,
} from "../../../src/attention/memory/index.ts";
import { sinusoidalEncoding } from "../../../src/attention/position/sinusoidal.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, randomAllow, tensor } from "../support.ts";

const [B, H, T, M, D, Dv] = [2, 3, 5, 6, 4, 7];
const S = M + T;
const CLOSE = 64 * ROUNDING;
const LETTERS = "the letters must mean the same sizes in all of the call's tensors";

const given = <X extends tf.Tensor>(seed: number, ...shape: number[]) => tensor<X>(random(seed, shape));
const inputs = (queries = T, keys = S) => ({
  q: given<tf.Tensor4D>(1, B, H, queries, D),
  k: given<tf.Tensor4D>(2, B, H, keys, D),
  v: given<tf.Tensor4D>(3, B, H, keys, Dv),
  r: given<tf.Tensor3D>(4, H, queries + keys - 1, D),
  contentBias: given<tf.Tensor2D>(5, H, D),
  distanceBias: given<tf.Tensor2D>(6, H, D),
});
type Inputs = ReturnType<typeof inputs>;
const call = ({ q, k, v, ...parameters }: Inputs, options: TransformerXlOptions) =>
  transformerXlAttention(q, k, v, parameters, options).output;

/** The paper's four terms (a) to (d), pair by pair, in float64. */
function reference(x: Inputs, visible: (b: number, h: number, i: number, j: number) => boolean): number[] {
  const [q, k, v, r, u, w] = [x.q, x.k, x.v, x.r, x.contentBias, x.distanceBias].map((t) => t.dataSync());
  const [, , queries] = x.q.shape;
  const keys = x.k.shape[2];
  const out: number[] = [];
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < queries; i++) {
        const at = (table: ArrayLike<number>, row: number, d: number) => table[row * D + d]!;
        const weights = Array.from({ length: keys }, (_, j) => {
          if (!visible(b, h, i, j)) return 0;
          let score = 0;
          for (let d = 0; d < D; d++) {
            const query = at(q!, (b * H + h) * queries + i, d);
            const key = at(k!, (b * H + h) * keys + j, d);
            const far = at(r!, h * (queries + keys - 1) + (j - i + queries - 1), d);
            score += query * key + query * far + at(u!, h, d) * key + at(w!, h, d) * far;
          }
          return Math.exp(score / Math.sqrt(D));
        });
        const total = weights.reduce((a, c) => a + c);
        for (let d = 0; d < Dv; d++) {
          const sum = weights.reduce((a, p, j) => a + p * v![((b * H + h) * keys + j) * Dv + d]!, 0);
          out.push(total === 0 ? 0 : sum / total);
        }
      }
  return out;
}

onEveryBackend("transformerXlAttention", () => {
  it("equals the paper's four terms, pair by pair, with a memory before the segment", () => {
    tf.tidy(() => {
      const x = inputs();
      const actual = call(x, { causal: "bottomRight" });
      const expected = reference(x, (_b, _h, i, j) => j <= i + M);
      expect(distance(actual.dataSync(), expected)).toBeLessThanOrEqual(16 * CLOSE);
    });
  });

  it("composes with masks, and gives 0 to a row that sees nothing", () => {
    tf.tidy(() => {
      const x = inputs(3, 7);
      const allow = randomAllow(9, [B, H, 3, 7], 0.6);
      (allow.values as Uint8Array).fill(0, 0, 7); // the first query of the first head
      const actual = call(x, { allow: tensor(allow), queryOffset: 2 });
      const at = (b: number, h: number, i: number, j: number) =>
        allow.values[((b * H + h) * 3 + i) * 7 + j] === 1;
      expect(distance(actual.dataSync(), reference(x, at))).toBeLessThanOrEqual(16 * CLOSE);
      expect([...actual.dataSync().slice(0, Dv)]).toEqual(new Array(Dv).fill(0));
    });
  });

  it("is plain attention where distances and biases are 0, whose options are its own", () => {
    tf.tidy(() => {
      const x = inputs();
      const zero = { r: tf.zerosLike(x.r), contentBias: tf.zerosLike(x.contentBias) };
      const { output, weights, lse } = transformerXlAttention(
        x.q,
        x.k,
        x.v,
        { ...zero, distanceBias: x.distanceBias },
        { causal: "bottomRight", weights: true, lse: true },
      );
      expect(weights.shape).toEqual([B, H, T, S]);
      expect(lse.shape).toEqual([B, H, T]);
      const expected = reference({ ...x, ...zero }, (_b, _h, i, j) => j <= i + M);
      expect(distance(output.dataSync(), expected)).toBeLessThanOrEqual(16 * CLOSE);
    });
  });

  it("gives the same to a position whatever cut the sequence into segments, one layer deep", () => {
    tf.tidy(() => {
      const x = inputs(S, S);
      const whole = call(x, { causal: true });
      // The last T queries, with everything before them as the memory.
      const q = tf.slice(x.q, [0, 0, M, 0], [B, H, T, D]);
      const r = tf.slice(x.r, [0, 0, 0], [H, T + S - 1, D]);
      const segment = call({ ...x, q, r }, { causal: "bottomRight" });
      const last = tf.slice(whole, [0, 0, M, 0], [B, H, T, Dv]);
      expect(distance(segment.dataSync(), last.dataSync())).toBeLessThanOrEqual(16 * CLOSE);
    });
  });

  it("has gradients that agree with differences, of everything", () => {
    tf.tidy(() => {
      const x = Object.fromEntries(Object.entries(inputs(3, 5)).map(([name, t]) => [name, tf.mul(t, 0.4)]));
      const f = (x: Record<string, tf.Tensor>) => call(x as unknown as Inputs, { causal: "bottomRight" });
      expect(() => gradcheckTensors(f, x)).not.toThrow();
    });
  });

  it("refuses keys of too few distances, a bias of another width, and T ≠ S without a corner", () => {
    const x = inputs();
    const refused: [typeof ShapeError | typeof OptionError, () => unknown, string][] = [
      [
        ShapeError,
        () => call({ ...x, r: tf.ones([H, S, D]) }, { causal: "bottomRight" }),
        `transformerXlAttention: r must be float32 of shape [H, T + S − 1, D] = [3, 15, 4], got float32 of shape [3, 11, 4]; ${LETTERS}`,
      ],
      [
        ShapeError,
        () => call({ ...x, contentBias: tf.ones([H, 5]) }, { causal: "bottomRight" }),
        `transformerXlAttention: contentBias must be float32 of shape [H, D] = [3, 4], got float32 of shape [3, 5]; ${LETTERS}`,
      ],
      [
        OptionError,
        () => call(x, {}),
        "transformerXlAttention: relative positions must know where query 0 stands when T ≠ S, got T=5 and S=11; give queryOffset, the key position of the first query (0 aligns the first ones, S − T the last ones)",
      ],
    ];
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      for (const [type, call, message] of refused) {
        expect(call).toThrow(type);
        expect(call).toThrow(expect.objectContaining({ message }));
      }
    });
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose(x);
  });
});

onEveryBackend("relativeSinusoids", () => {
  it("has the encoding of how far before the query a key stands, 0 where they are at one place", () => {
    tf.tidy(() => {
      const rows = relativeSinusoids(2, 4, 6, { queryOffset: 2 });
      expect(rows.shape).toEqual([5, 6]);
      // The last query stands at 3, three after key 0; then 2, 1, 0, and −1 for the first query and the last key.
      const expected = tf.reverse(sinusoidalEncoding(4, 6), 0).dataSync();
      expect(distance(rows.dataSync().slice(0, 24), expected)).toBeLessThanOrEqual(CLOSE);
      expect(rows.dataSync()[24]).toBeCloseTo(Math.sin(-1), 6);
    });
  });
});

onEveryBackend("appendToMemory", () => {
  it("worked by hand: keeps the last ones in order, and gives back what had to go", () => {
    tf.tidy(() => {
      const rows = (...values: number[]) => tf.tensor3d([values.map((value) => [value, -value])]);
      const first = appendToMemory(undefined, rows(1, 2), 3);
      expect(first.evicted).toBeUndefined();
      expect([...first.memory.dataSync()]).toEqual([1, -1, 2, -2]);
      const second = appendToMemory(first.memory, rows(3, 4), 3);
      expect([...second.memory.dataSync()]).toEqual([2, -2, 3, -3, 4, -4]);
      expect([...second.evicted!.dataSync()]).toEqual([1, -1]);
      const third = appendToMemory(second.memory, rows(5, 6, 7, 8), 3);
      expect([...third.memory.dataSync()]).toEqual([6, -6, 7, -7, 8, -8]);
      expect([...third.evicted!.dataSync()]).toEqual([2, -2, 3, -3, 4, -4, 5, -5]);
    });
  });

  it("stops the gradient: neither what is kept nor what goes leads back to what was added", () => {
    tf.tidy(() => {
      const added = given<tf.Tensor4D>(1, B, H, T, D);
      for (const part of ["memory", "evicted"] as const) {
        const f = (x: tf.Tensor) => {
          const earlier = appendToMemory(undefined, x, T);
          const next = appendToMemory(earlier.memory, tf.mul(x, 2), T);
          return tf.add(tf.sum(next[part]!), tf.mul(0, tf.sum(x)));
        };
        expect([...tf.grad(f)(added).dataSync()].every((d) => d === 0)).toBe(true);
      }
    });
  });

  it("copies: what was given may go, and nothing else is left behind", () => {
    const [memory, added] = [tf.ones([2, 3]), tf.ones([2, 3])];
    const before = tf.memory().numTensors;
    const made = appendToMemory(memory, added, 2);
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose([memory, added]);
    expect([...made.memory.dataSync()]).toEqual(new Array(6).fill(1));
    tf.dispose([made.memory, made.evicted!]);
  });

  const refused: [string, typeof ShapeError | typeof OptionError, () => unknown, string][] = [
    [
      "a memory of another width",
      ShapeError,
      () => appendToMemory(tf.ones([B, 4, 3]), tf.ones([B, 2, 5]), 7),
      `appendToMemory: memory must be float32 of shape [..., M, C] = [2, 4, 5], got float32 of shape [2, 4, 3]; ${LETTERS}`,
    ],
    [
      "a memory of nothing",
      OptionError,
      () => appendToMemory(undefined, tf.ones([B, 2, 5]), 0),
      "appendToMemory: length must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      "a vector",
      ShapeError,
      () => appendToMemory(undefined, tf.ones([5]), 3),
      "appendToMemory: added must have rank 2 or more, got shape [5]; reshape it first",
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    tf.tidy(() => {
      expect(call).toThrow(type);
      expect(call).toThrow(expect.objectContaining({ message }));
    });
  });
});
