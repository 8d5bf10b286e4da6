import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { HALF, HALF_TYPES, type HalfType } from "../../src/core/half.ts";
import { packHalf, roundHalf, unpackHalf } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { leaked } from "./both-ways.ts";

/** Every float32 whose lower 12 bits are all 0 or all 1: each tie of float16, what is just beside it, and payloads. */
function manyFloats(): Float32Array {
  const bits = Uint32Array.from({ length: 1 << 21 }, (_, n) => ((n >>> 1) << 12) | (n & 1 ? 0xfff : 0));
  return new Float32Array(bits.buffer);
}

/** Around each tie of bfloat16, whose cut bits are 16. */
function aroundTies(): Float32Array {
  const bits = Uint32Array.from(
    { length: 3 << 16 },
    (_, n) => (Math.floor(n / 3) << 16) | (0x7fff + (n % 3)),
  );
  return new Float32Array(bits.buffer);
}

/** Compared as bits: NaN has many. */
const bitsOf = (values: ArrayLike<number> & { buffer: ArrayBufferLike; byteOffset: number }) =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The first place in which bits differ. */
function firstDifference(a: Uint32Array, b: Uint32Array): number {
  if (a.length !== b.length) return 0;
  return a.findIndex((x, n) => x !== b[n]);
}

function check(type: HalfType, values: Float32Array) {
  const { encode, decode } = HALF[type];
  tf.tidy(() => {
    // Bits of float32 travel as int32 where NaN must keep its payload: neither reads nor writes change them there.
    const x = tf.tensor1d(values);
    const words = packHalf(x, type);
    const halves = new Uint16Array(Int32Array.from(words.dataSync()).buffer, 0, values.length);
    const expected = encode(values);
    expect(halves.findIndex((half, n) => half !== expected[n])).toBe(-1);
    const back = decode(expected);
    const unpacked = unpackHalf(words, [values.length], type).dataSync() as Float32Array;
    expect(firstDifference(bitsOf(unpacked), bitsOf(back))).toBe(-1);
    const rounded = roundHalf(x, type).dataSync() as Float32Array;
    expect(firstDifference(bitsOf(rounded), bitsOf(back))).toBe(-1);
  });
}

describe.each(BUILDS)("16-bit storage, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each(HALF_TYPES)("%s rounds two million numbers as the plain code does, bit for bit", (type) => {
    check(type, manyFloats());
    if (type === "bfloat16") check(type, aroundTies());
  });
});

describe.each(["heed", "cpu"])("16-bit storage on %s", (backend) => {
  beforeAll(async () => {
    await useBuild("relaxed");
    await tf.setBackend(backend);
  });

  it.each(HALF_TYPES)(
    "%s holds any number of numbers, two in a word, and touches nothing beside them",
    (type) => {
      for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 31]) {
        const values = Float32Array.from({ length: n }, (_, i) => 1.2345 * (i + 1) * (i % 2 ? -1 : 1));
        check(type, values);
        tf.tidy(() => {
          const words = packHalf(tf.tensor(values, [n]), type);
          expect([words.dtype, words.shape]).toEqual(["int32", [Math.ceil(n / 2)]]);
          if (n % 2) expect(words.dataSync().at(-1)! >>> 16).toBe(0);
        });
      }
    },
  );

  it("takes half the bytes of float32", () => {
    const bytes = () => tf.memory().numBytes;
    const x = tf.ones([7, 11, 13]);
    const before = bytes();
    const words = packHalf(x, "float16");
    expect(bytes() - before).toBe(4 * 501);
    tf.dispose([x, words]);
  });

  it.each(HALF_TYPES)("%s errs by at most its roundoff, over its range", (type) => {
    const { roundoff, largest } = HALF[type];
    tf.tidy(() => {
      const x = Array.from(
        { length: 1999 },
        (_, n) => (type === "float16" ? 2 ** -14 : 2 ** -126) * 1.0321 ** n,
      );
      const inside = x.filter((value) => value < largest);
      const rounded = roundHalf(tf.tensor1d(inside), type).dataSync();
      const given = Float32Array.from(inside);
      const worst = Math.max(...given.map((value, n) => Math.abs(rounded[n]! - value) / value));
      expect(worst).toBeLessThanOrEqual(roundoff);
      // A tie within the table is not certain; half of the bound is.
      expect(worst).toBeGreaterThan(roundoff / 2);
    });
  });

  it("has gradients that pass through the format: rounded, infinite beyond float16's range, 0 below its numbers", () => {
    tf.tidy(() => {
      const x = tf.tensor1d([1, 2, 3, 4, 5]);
      const dout = tf.tensor1d([0.1, 70000, -70000, 2 ** -26, 2 ** -24]);
      const gradient = (type: HalfType) => [
        ...tf
          .grad((y) => roundHalf(y, type))(x, dout)
          .dataSync(),
      ];
      expect(gradient("float16")).toEqual([0.0999755859375, Infinity, -Infinity, 0, 2 ** -24]);
      expect(gradient("bfloat16")).toEqual([0.10009765625, 70144, -70144, 2 ** -26, 2 ** -24]);
      const twice = tf.grad((y) => tf.grad((z) => tf.mul(roundHalf(z, "float16"), z))(y) as tf.Tensor)(x);
      expect([...twice.dataSync()]).toEqual([2, 2, 2, 2, 2]);
    });
  });

  it("leaks no tensor", () => {
    const op = ([x]: tf.Tensor[]) => [roundHalf(x!, "float16")];
    expect(leaked(op, [{ shape: [3, 5], values: Array.from({ length: 15 }, (_, n) => n / 7) }])).toBe(0);
  });

  it("refuses what it does not know", () => {
    tf.tidy(() => {
      const x = tf.ones([3]);
      expect(() => packHalf(x, "float8" as HalfType)).toThrow(
        'packHalf: type must be "float16" or "bfloat16", got float8; choose one of them',
      );
      expect(() => roundHalf(tf.ones([3], "int32"), "float16")).toThrow(
        "roundHalf: x must be float32 of shape […] = [3], got int32 of shape [3]; " +
          "the letters must mean the same sizes in all of the call's tensors",
      );
      expect(() => unpackHalf(packHalf(x, "float16"), [5], "float16")).toThrow(
        "unpackHalf: words must be int32 of shape [⌈n/2⌉] = [3], got int32 of shape [2]; " +
          "the letters must mean the same sizes in all of the call's tensors",
      );
    });
  });
});
