/** Packed rows beside the same sequences alone. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type PackedAttentionOptions,
  packedAttention,
  softAttention,
} from "../../../src/attention/sequence/index.ts";
import type { HeedError } from "../../../src/core/errors.ts";
import { attentionCost } from "../../../src/kernels/cost.ts";
import { attentionCalls } from "../../../src/ops/attention/observe.ts";
import { distance, onEveryBackend, onPlainKernels, random, tensor } from "../support.ts";

const [B, T, S, H, Hkv, D, Dv] = [2, 11, 13, 4, 2, 3, 5];
const SEGMENTS = [
  [3, 5, 2],
  [7, 0, 1],
];
const KEY_SEGMENTS = [
  [4, 2, 7],
  [5, 3, 0],
];
const SELF: PackedAttentionOptions = { segments: SEGMENTS };
const CROSS: PackedAttentionOptions = { segments: SEGMENTS, keySegments: KEY_SEGMENTS };

type Options = Omit<PackedAttentionOptions, "segments" | "keySegments">;

const CASES: [string, PackedAttentionOptions, () => Options][] = [
  ["sequences with themselves", SELF, () => ({})],
  ["causality", SELF, () => ({ causal: true })],
  ["a window, without the future", SELF, () => ({ causal: true, window: { left: 1 } })],
  ["sequences with others", CROSS, () => ({})],
  [
    "another corner, a soft-cap and a scale",
    CROSS,
    () => ({ causal: "bottomRight", softCap: 1.5, scale: 0.7 }),
  ],
  ["a sink for each head", CROSS, () => ({ sink: tensor(random(7, [H])) })],
  ["a bias for heads and places", CROSS, () => ({ bias: tensor(random(8, [1, H, 7, 7])) })],
  ["a mask of places", SELF, () => ({ allow: tf.notEqual(tensor(random(9, [7, 7])), 0) })],
];

/** NaN wherever padding is. */
function rows(
  seed: number,
  [heads, length, width]: readonly [number, number, number],
  segments: readonly (readonly number[])[],
) {
  const x = random(seed, [B, heads, length, width]);
  const used = segments.map((own) => own.reduce((sum, n) => sum + n, 0));
  x.values.forEach((_, e) => {
    const [b, t] = [Math.floor(e / (heads * length * width)), Math.floor(e / width) % length];
    if (t >= used[b]!) x.values[e] = Number.NaN;
  });
  return tensor<tf.Tensor4D>(x);
}

/** Sequence by sequence, by softAttention. */
function alone(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, options: PackedAttentionOptions): tf.Tensor4D {
  const { segments, keySegments = segments, ...rest } = options;
  const examples = segments.map((own, b) => {
    let [t, s] = [0, 0];
    const part = (x: tf.Tensor4D, at: number, n: number) =>
      tf.slice(x, [b, 0, at, 0], [1, x.shape[1], n, x.shape[3]]);
    const outputs = own.flatMap((n, at) => {
      const m = keySegments[b]![at]!;
      const [queries, keys, values] = [part(q, t, n), part(k, s, m), part(v, s, m)];
      t += n;
      s += m;
      if (n === 0) return [];
      if (m === 0) return [tf.zeros<tf.Rank.R4>([1, H, n, Dv])];
      const cut = (x: tf.Tensor | undefined) =>
        x && tf.slice(x, [...new Array(x.rank - 2).fill(0), 0, 0], [...x.shape.slice(0, -2), n, m]);
      const { bias, allow } = rest;
      const given = { ...rest, ...(bias && { bias: cut(bias)! }), ...(allow && { allow: cut(allow)! }) };
      return [softAttention(queries, keys, values, given).output];
    });
    return tf.concat(
      [...outputs, tf.zeros<tf.Rank.R4>([1, H, T - t, Dv])].filter((x) => x.size > 0),
      2,
    );
  });
  return tf.concat(examples, 0);
}

function packedTests(): void {
  it.each(CASES)("gives each sequence what it has alone, values and gradients: %s", (_, options, more) => {
    tf.tidy(() => {
      const isSelf = options.keySegments === undefined;
      const keys = isSelf ? ([Hkv, T, D] as const) : ([Hkv, S, D] as const);
      const own = options.keySegments ?? SEGMENTS;
      const given = { ...options, ...more() };
      const inputs = [
        rows(1, [H, T, D], SEGMENTS),
        rows(2, keys, own),
        rows(3, [Hkv, keys[1], Dv], own),
        ...(given.bias ? [given.bias] : []),
        ...(typeof given.sink === "object" ? [given.sink] : []),
      ];
      const call =
        (run: typeof alone) =>
        (...[q, k, v, learned]: tf.Tensor[]) =>
          run(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
            ...given,
            ...(given.bias && { bias: learned! }),
            ...(typeof given.sink === "object" && { sink: learned! }),
          });
      const weigh =
        (f: (...x: tf.Tensor[]) => tf.Tensor) =>
        (...x: tf.Tensor[]) => {
          const y = f(...x);
          return tf.sum(tf.mul(y, tf.reshape(tf.cos(tf.range(0, y.size)), y.shape)));
        };
      const packed = call((q, k, v, options) => packedAttention(q, k, v, options).output);
      const one = call(alone);
      const [got, expected] = [packed, one].map((f) => f(...inputs).dataSync());
      // The kernels compute a row in the same order wherever it stands.
      expect(distance(got!, expected!)).toBeLessThanOrEqual(tf.getBackend() === "heed" ? 0 : 1e-6);
      const gradients = [packed, one].map((f) =>
        tf
          .grads(weigh(f))(inputs)
          .map((x) => x.dataSync() as Float32Array),
      );
      for (const [n, gradient] of gradients[0]!.entries()) {
        // By slices and concatenation, padding of NaN has a gradient of 0 too.
        expect(gradient.every(Number.isFinite)).toBe(true);
        const other = gradients[1]![n]!;
        const largest = other.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        expect(distance(gradient, other)).toBeLessThanOrEqual(1e-6 * Math.max(1, largest));
      }
    });
  });

  it("is the same as a padded batch of the sequences where somebody looks, dropout and both layouts included", () => {
    tf.tidy(() => {
      const [q, k, v] = [
        rows(1, [H, T, D], SEGMENTS),
        rows(2, [Hkv, S, D], KEY_SEGMENTS),
        rows(3, [Hkv, S, Dv], KEY_SEGMENTS),
      ] as const;
      const options = { ...CROSS, dropout: { rate: 0.4, seed: 3 }, training: true };
      const { output } = packedAttention(q, k, v, options);
      const calls: number[] = [];
      const watched = attentionCalls.during(
        ({ program }) => void calls.push(program.shapes.B),
        () => packedAttention(q, k, v, options),
      );
      expect(distance(watched.output.dataSync(), output.dataSync())).toBeLessThan(1e-6);
      // Six sequences; rows of 11 and 13 with padding of 1 query, and of 3 queries and 5 keys.
      expect(calls).toEqual([9]);
      const swap = (x: tf.Tensor4D) => tf.transpose(x, [0, 2, 1, 3]);
      const turned = packedAttention(swap(q), swap(k), swap(v), { ...options, layout: "bthd" });
      expect(distance(swap(turned.output).dataSync(), output.dataSync())).toBe(0);
    });
  });

  it("gives 0 for rows of padding alone, and for no rows", () => {
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R4>([1, 1, 3, 2]);
      const all = packedAttention(x, x, x, { segments: [[]] }).output;
      expect(Array.from(all.dataSync())).toEqual([0, 0, 0, 0, 0, 0]);
      const none = tf.ones<tf.Rank.R4>([1, 1, 0, 2]);
      expect(packedAttention(none, none, none, { segments: [[]] }).output.shape).toEqual([1, 1, 0, 2]);
    });
  });

  it("leaves no tensor behind but its output", () => {
    const x = tf.ones<tf.Rank.R4>([2, 2, 7, 2]);
    const options = { segments: [[2, 3], [7]], causal: true };
    packedAttention(x, x, x, options).output.dispose();
    const before = tf.memory().numTensors;
    const { output } = packedAttention(x, x, x, options);
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose([x, output]);
  });

  it.each<[PackedAttentionOptions, string, string]>([
    [
      { segments: [[3]] },
      "OPTION",
      "segments must be B=2 rows of integers ≥ 0 that add up to at most T=7, got [[3]]",
    ],
    [
      { segments: [[3, 5], [7]] },
      "OPTION",
      "at most T=7, got [[3,5],[7]]; give the lengths of the sequences in each row",
    ],
    [{ segments: [[3], [1.5]] }, "OPTION", "got [[3],[1.5]]"],
    [{ segments: 3 as never }, "OPTION", "got 3"],
    [
      { segments: [[3], [2]], keySegments: [[3], [1, 1]] },
      "OPTION",
      "segments and keySegments must have as many sequences in each row, got 1 and 2 in row 1; give a length of 0",
    ],
    [
      { segments: [[3], [2]], keySegments: [[3], [1]], causal: true },
      "CONFLICT",
      "causal: true must have T = S, got T=2 and S=1",
    ],
    [
      { segments: [[3], [2]], keySegments: [[3], [1]], window: { left: 1 } },
      "CONFLICT",
      "a window must know where query 0 stands when T ≠ S, got T=2 and S=1",
    ],
    [{ segments: [[3], [2]], layout: "thd" as never }, "OPTION", 'layout must be "bhtd" or "bthd"'],
  ])("refuses %j", (options, code, message) => {
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R4>([2, 1, 7, 2]);
      const call = () => packedAttention(x, x, x, options);
      expect(call).toThrow(message);
      try {
        call();
      } catch (error) {
        expect((error as HeedError).code).toBe(code);
      }
    });
  });
}

onEveryBackend("packedAttention", packedTests);
onPlainKernels("packedAttention", packedTests);

it("computes nothing between sequences", async () => {
  await tf.setBackend("heed");
  const [n, each] = [64, 64];
  const x = tf.randomNormal<tf.Rank.R4>([1, n * each, 1, 32], 0, 1, "float32", 1);
  const seconds = (run: () => { output: tf.Tensor }) => {
    const used = process.cpuUsage();
    tf.tidy(() => void run());
    const { user, system } = process.cpuUsage(used);
    return user + system;
  };
  const packed = () => packedAttention(x, x, x, { segments: [new Array(n).fill(each)], layout: "bthd" });
  const whole = () => softAttention(x, x, x, { layout: "bthd" });
  const ratios = Array.from({ length: 3 }, () => seconds(whole) / seconds(packed)).sort((a, b) => a - b);
  // One pair in 64 is left; entering a sequence costs as much as a few of them.
  expect(ratios[1]).toBeGreaterThan(8);
  const lengths = new Array(n).fill(each);
  const sizes = { B: n, T: n * each, S: n * each, H: 1, D: 32 };
  const { pairs } = attentionCost(sizes, { layout: "thd", queryLengths: lengths, keyLengths: lengths });
  expect(pairs).toBe(n * each * each);
  x.dispose();
});
