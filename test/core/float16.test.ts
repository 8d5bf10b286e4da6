import { describe, expect, it } from "vitest";
import { decodeFloat16, encodeFloat16 } from "../../src/core/float16.ts";

const ALL = Uint16Array.from({ length: 65_536 }, (_, half) => half);

/** The definition, in float64: sign · 2^(exponent − 15) · (1 + fraction / 1024), or subnormal. */
function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

describe("decodeFloat16", () => {
  it("gives the value of the definition for all 65,536 halves, signs of zero included", () => {
    const values = decodeFloat16(ALL);
    const wrong = ALL.filter((half) => !Object.is(values[half], halfValue(half)));
    expect(wrong).toHaveLength(0);
  });

  it("reads a view that starts in the middle of a buffer", () => {
    expect([...decodeFloat16(new Uint16Array([0, 0x3c00, 0xc000]).subarray(1))]).toEqual([1, -2]);
  });

  it("reads five million values well within a second", () => {
    const halves = new Uint16Array(5_000_000).fill(0x3c01);
    decodeFloat16(ALL);
    const start = performance.now();
    const values = decodeFloat16(halves);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(values[4_999_999]).toBe(1 + 2 ** -10);
  });
});

describe("encodeFloat16", () => {
  it("gives back every half's own bits, NaN payloads included", () => {
    expect(encodeFloat16(decodeFloat16(ALL))).toEqual(ALL);
  });

  it("rounds between every two neighbours to the nearest, and a tie to the even one", () => {
    const float = new Float32Array(1);
    const bits = new Uint32Array(float.buffer);
    const encode = (value: number, nudge: number) => {
      float[0] = value;
      bits[0]! += nudge;
      return encodeFloat16(float)[0]!;
    };
    const wrong: number[] = [];
    // Up to 0x7bff, whose upper neighbour is where 2¹⁶ would be: Infinity.
    for (let low = 0; low < 0x7c00; low++) {
      const top = low === 0x7bff ? 2 ** 16 : halfValue(low + 1);
      const tie = (halfValue(low) + top) / 2;
      const even = low & 1 ? low + 1 : low;
      const good =
        encode(tie, 0) === even &&
        encode(tie, -1) === low &&
        encode(tie, 1) === low + 1 &&
        encode(-tie, 0) === (even | 0x8000) &&
        encode(-tie, -1) === (low | 0x8000) &&
        encode(-tie, 1) === ((low + 1) | 0x8000);
      if (!good) wrong.push(low);
    }
    expect(wrong).toEqual([]);
  });

  it("keeps NaN from becoming Infinity when its payload lies in the bits that are cut", () => {
    const signalling = new Float32Array(new Uint32Array([0x7f800001, 0xff800001]).buffer);
    expect([...encodeFloat16(signalling)]).toEqual([0x7e00, 0xfe00]);
  });

  it("sends float32 subnormals to zero and float32 infinities to infinities, with their sign", () => {
    expect([...encodeFloat16(new Float32Array([1e-40, -1e-40, Infinity, -Infinity, 3e38]))]).toEqual([
      0, 0x8000, 0x7c00, 0xfc00, 0x7c00,
    ]);
  });
});
