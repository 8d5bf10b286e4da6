import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { compressMemory, reconstructionLoss } from "../../../src/attention/memory/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, expectRefusal, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, T, E, C, RATE, H] = [2, 5, 6, 4, 3, 2];
const [D, Dv] = [3, 5];
const CLOSE = 64 * ROUNDING;
const LETTERS = "the letters must mean the same sizes in all of the call's tensors";

const given = <X extends tf.Tensor>(seed: number, ...shape: number[]) => tensor<X>(random(seed, shape));
const maps = () => ({
  wq: given<tf.Tensor2D>(4, C, H * D),
  wk: given<tf.Tensor2D>(5, C, H * D),
  wv: given<tf.Tensor2D>(6, C, H * Dv),
});
const filter = () => ({ w: given<tf.Tensor3D>(7, RATE, C, C), b: given<tf.Tensor1D>(8, C) });

onEveryBackend("compressMemory", () => {
  it("makes one of each three, by mean, maximum or convolution, as written out", () => {
    tf.tidy(() => {
      const old = given<tf.Tensor3D>(1, B, E, C);
      const { w, b } = filter();
      const [x, ww, bb] = [old, w, b].map((t) => t.dataSync());
      const groups = (f: (values: number[], group: number, c: number) => number) =>
        Array.from({ length: (B * E * C) / RATE }, (_, n) => {
          const [group, c] = [Math.floor(n / C), n % C];
          return f(
            Array.from({ length: RATE }, (_, i) => x![(group * RATE + i) * C + c]!),
            group,
            c,
          );
        });
      const mean = groups((values) => values.reduce((a, v) => a + v) / RATE);
      const max = groups((values) => Math.max(...values));
      const convolved = groups((_, group, c) => {
        let sum = bb![c]!;
        for (let i = 0; i < RATE; i++)
          for (let e = 0; e < C; e++) sum += x![(group * RATE + i) * C + e]! * ww![(i * C + e) * C + c]!;
        return sum;
      });
      const compress = (by: Parameters<typeof compressMemory>[1]["by"]) => {
        const out = compressMemory(old, { rate: RATE, by });
        expect(out.shape).toEqual([B, E / RATE, C]);
        return out.dataSync();
      };
      expect(distance(compress("mean"), mean)).toBeLessThanOrEqual(CLOSE);
      expect(distance(compress("max"), max)).toBeLessThanOrEqual(CLOSE);
      expect(distance(compress({ w, b }), convolved)).toBeLessThanOrEqual(16 * CLOSE);
    });
  });

  it.each(["mean", "max", "filter"] as const)("has gradients that agree with differences, by %s", (by) => {
    tf.tidy(() => {
      // Apart enough that the largest of three stays the largest.
      const old = tf.mul(
        tf.sign(given(1, B, E, C)),
        tf.add(1, tf.reshape(tf.range(0, B * E * C), [B, E, C])),
      );
      const x = { old: by === "max" ? old : given(2, B, E, C), ...(by === "filter" && filter()) };
      const f = ({ old, ...rest }: Record<string, tf.Tensor>) =>
        compressMemory(old as tf.Tensor3D, { rate: RATE, by: by === "filter" ? (rest as never) : by });
      expect(() => gradcheckTensors(f, x)).not.toThrow();
    });
  });

  const refused: [string, typeof ShapeError | typeof OptionError, () => unknown, string][] = [
    [
      "a length that the rate does not divide",
      ShapeError,
      () => compressMemory(tf.ones([B, 7, C]), { rate: RATE, by: "mean" }),
      "compressMemory: old [B, E, C] must have E a multiple of the rate 3, 1 or more times, got E = 7; choose lengths of segments and memories that the rate divides",
    ],
    [
      "a filter of another width than the memory",
      ShapeError,
      () => compressMemory(tf.ones([B, E, C]), { rate: RATE, by: { w: tf.ones([RATE, 5, 5]) } }),
      `compressMemory: by.w must be float32 of shape [c, C, C] = [3, 4, 4], got float32 of shape [3, 5, 5]; ${LETTERS}`,
    ],
    [
      "another way",
      OptionError,
      () => compressMemory(tf.ones([B, E, C]), { rate: RATE, by: "median" as never }),
      'compressMemory: by must be "mean" or "max", got median; choose one of them',
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    expectRefusal(call, type, message);
  });
});

onEveryBackend("reconstructionLoss", () => {
  const states = () => ({ h: given<tf.Tensor3D>(1, B, T, C), old: given<tf.Tensor3D>(2, B, E, C) });
  const few = () => given<tf.Tensor3D>(3, B, E / RATE, C);

  /** What a head reads, in float64. */
  function read(h: tf.Tensor3D, memory: tf.Tensor3D, w: ReturnType<typeof maps>): number[] {
    const rows = (x: tf.Tensor) => x.arraySync() as number[][][];
    const table = (x: tf.Tensor) => x.arraySync() as number[][];
    const [q, k, v] = [table(w.wq), table(w.wk), table(w.wv)];
    const map = (x: number[], m: number[][], from: number, n: number) =>
      Array.from({ length: n }, (_, o) => x.reduce((sum, value, c) => sum + value * m[c]![from + o]!, 0));
    return rows(h).flatMap((queries, b) =>
      queries.flatMap((x) =>
        Array.from({ length: H }, (_, head) => {
          const query = map(x, q, head * D, D);
          const powers = rows(memory)[b]!.map((slot) => {
            const key = map(slot, k, head * D, D);
            return Math.exp(query.reduce((sum, n, d) => sum + n * key[d]!, 0) / Math.sqrt(D));
          });
          const total = powers.reduce((a, c) => a + c);
          const values = rows(memory)[b]!.map((slot) => map(slot, v, head * Dv, Dv));
          return Array.from({ length: Dv }, (_, d) =>
            powers.reduce((sum, p, s) => sum + (p / total) * values[s]![d]!, 0),
          );
        }).flat(),
      ),
    );
  }

  it("is the mean square of what attention reads differently, 0 where it reads the same", () => {
    tf.tidy(() => {
      const { h, old } = states();
      const w = maps();
      const [before, after] = [read(h, old, w), read(h, few(), w)];
      const expected = before.reduce((sum, value, n) => sum + (value - after[n]!) ** 2, 0) / before.length;
      const loss = reconstructionLoss(h, old, few(), w, { heads: H }).dataSync()[0]!;
      expect(Math.abs(loss - expected)).toBeLessThanOrEqual(1e-5 * expected);
      expect(reconstructionLoss(h, old, old, w, { heads: H }).dataSync()[0]).toBe(0);
    });
  });

  it("has a gradient of the compression alone: states, old memories and maps are constants", () => {
    tf.tidy(() => {
      const { h, old } = states();
      const w = maps();
      const all = [h, old, few(), w.wq, w.wk, w.wv];
      const f = (...[h, old, few, wq, wk, wv]: tf.Tensor[]) => {
        const loss = reconstructionLoss(h as never, old as never, few as never, { wq, wk, wv } as never, {
          heads: H,
        });
        return tf.addN([loss, ...[h, old, few, wq, wk, wv].map((x) => tf.mul(0, tf.sum(x!)))]);
      };
      const moved = tf
        .grads(f)(all)
        .map((gradient) => gradient.dataSync().some((d) => d !== 0));
      expect(moved).toEqual([false, false, true, false, false, false]);
    });
  });

  it("has gradients that agree with differences, through the convolution too", () => {
    tf.tidy(() => {
      const { h, old } = states();
      const small = Object.fromEntries(Object.entries(maps()).map(([name, w]) => [name, tf.mul(w, 0.3)]));
      const f = ({ w, b }: Record<string, tf.Tensor>) => {
        const compressed = compressMemory(old, { rate: RATE, by: { w, b } as never });
        return reconstructionLoss(h, old, compressed, small as never, { heads: H });
      };
      const { w, b } = filter();
      expect(() => gradcheckTensors(f, { w: tf.mul(w, 0.2), b: tf.mul(b, 0.2) }, 64)).not.toThrow();
    });
  });

  it("leaves no tensor behind, and refuses maps of another width and uneven heads", () => {
    const { h, old } = states();
    const [w, small] = [maps(), few()];
    const before = tf.memory().numTensors;
    reconstructionLoss(h, old, small, w, { heads: H }).dispose();
    expect(tf.memory().numTensors).toBe(before);
    tf.tidy(() => {
      const refused: [() => unknown, string][] = [
        [
          () => reconstructionLoss(h, old, small, { ...w, wk: tf.ones([5, H * D]) }, { heads: H }),
          `reconstructionLoss: wk must be float32 of shape [C, H·D] = [4, 6], got float32 of shape [5, 6]; ${LETTERS}`,
        ],
        [
          () => reconstructionLoss(h, tf.ones([B, E, 5]), small, w, { heads: H }),
          `reconstructionLoss: old must be float32 of shape [B, E, C] = [2, 6, 4], got float32 of shape [2, 6, 5]; ${LETTERS}`,
        ],
        [
          () => reconstructionLoss(h, old, small, w, { heads: 4 }),
          "reconstructionLoss: the maps must have columns for all of heads=4 alike, got 6 and 10 columns; make them a multiple of heads",
        ],
      ];
      for (const [call, message] of refused) {
        expect(call).toThrow(ShapeError);
        expect(call).toThrow(expect.objectContaining({ message }));
      }
    });
    tf.dispose([h, old, small, w.wq, w.wk, w.wv]);
  });
});
