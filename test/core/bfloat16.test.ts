import { describe, expect, it } from "vitest";
import { decodeBfloat16, encodeBfloat16 } from "../../src/core/bfloat16.ts";

const ALL = Uint16Array.from({ length: 65_536 }, (_, n) => n);

describe("decodeBfloat16", () => {
  it("gives the float32 of whose bits these are the upper half, for all 65,536", () => {
    const bits = new Uint32Array(decodeBfloat16(ALL).buffer);
    expect(bits).toEqual(Uint32Array.from(ALL, (n) => n * 65_536));
    // 1, −3, the largest number, −∞ and the smallest, by hand.
    expect([...decodeBfloat16(Uint16Array.of(0x3f80, 0xc040, 0x7f7f, 0xff80, 0x0001))]).toEqual([
      1,
      -3,
      (2 - 2 ** -7) * 2 ** 127,
      -Infinity,
      2 ** -133,
    ]);
  });
});

describe("encodeBfloat16", () => {
  it("gives back every number's own bits, NaN payloads included", () => {
    expect(encodeBfloat16(decodeBfloat16(ALL))).toEqual(ALL);
  });

  it("rounds between every two neighbours to the nearest, and a tie to the even one", () => {
    const bits = (upper: number, lower: number) =>
      new Float32Array(Uint32Array.of(((upper << 16) | lower) >>> 0).buffer);
    const wrong: number[] = [];
    // Subnormals too, and up to the largest number, whose upper neighbour is Infinity.
    for (let low = 0; low < 0x7f80; low++) {
      const even = low & 1 ? low + 1 : low;
      for (const sign of [0, 0x8000]) {
        const encode = (lower: number) => encodeBfloat16(bits(sign | low, lower))[0]! ^ sign;
        const good =
          encode(0) === low &&
          encode(0x7fff) === low &&
          encode(0x8000) === even &&
          encode(0x8001) === low + 1;
        if (!good) wrong.push(low);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("keeps NaN from becoming Infinity when its payload lies in the bits that are cut", () => {
    const signalling = new Float32Array(new Uint32Array([0x7f800001, 0xff80ffff]).buffer);
    expect([...encodeBfloat16(signalling)]).toEqual([0x7fc0, 0xffc0]);
  });

  it("reads a view that starts in the middle of a buffer", () => {
    expect([...encodeBfloat16(new Float32Array([0, 1, -2]).subarray(1))]).toEqual([0x3f80, 0xc000]);
  });
});
