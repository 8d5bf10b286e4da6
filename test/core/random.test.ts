import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { type Counter, type Key, philox, RandomStream } from "../../src/core/random.ts";

const ONES = 0xffffffff;

describe("philox", () => {
  const published: [string, Counter, Key, number[]][] = [
    ["zeros", [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    ["ones", [ONES, ONES, ONES, ONES], [ONES, ONES], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [
      "the digits of pi",
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  it.each(published)("gives the known answer of Random123 for %s", (_, counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });
});

describe("RandomStream", () => {
  it("takes number n from counter block ⌊n/4⌋, lane n mod 4", () => {
    const seed = 5 * 2 ** 32 + 7;
    const stream = 3 * 2 ** 32 + 11;
    const random = new RandomStream(seed, stream);
    const drawn = Array.from({ length: 9 }, () => random.bits());
    const blocks = [0, 1, 2].flatMap((block) => philox([block, 0, 11, 3], [7, 5]));
    expect(drawn).toEqual(blocks.slice(0, 9));
  });

  it("continues across the 32-bit edge of the block counter", () => {
    const random = new RandomStream(1);
    random.position = 4 * 2 ** 32 + 2;
    expect(random.bits()).toBe(philox([0, 1, 0, 0], [1, 0])[2]);
  });

  it("fills a tensor with the numbers that single draws would give, from any position", () => {
    const single = new RandomStream(9);
    const filled = new RandomStream(9);
    single.bits();
    filled.bits();
    const expected = Float32Array.from({ length: 13 }, () => -1 + 3 * single.uniform());
    expect(filled.fillUniform(new Float32Array(13), -1, 2)).toEqual(expected);
    expect(filled.position).toBe(14);
  });

  it("draws uniform numbers exact in float32, with mean ½ and variance 1/12 within five standard errors", () => {
    const n = 20_000;
    const x = new RandomStream(2).fillUniform(new Float64Array(n));
    expect(x.every((v) => v >= 0 && v < 1 && Math.fround(v) === v)).toBe(true);
    const mean = x.reduce((s, v) => s + v, 0) / n;
    const variance = x.reduce((s, v) => s + (v - 0.5) ** 2, 0) / n;
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
    // The variance of (u - ½)² is 1/80 - 1/144 = 1/180.
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / n));
  });

  it("draws normal numbers with the moments of the normal distribution within five standard errors", () => {
    const n = 20_000;
    const x = new RandomStream(3).fillNormal(new Float64Array(n));
    const moment = (k: number) => x.reduce((s, v) => s + v ** k, 0) / n;
    // Var(x) = 1, Var(x²) = 2, Var(x⁴) = 96.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });

  it("draws integers that cover their range evenly", () => {
    const random = new RandomStream(4);
    const counts = new Array<number>(7).fill(0);
    const n = 14_000;
    for (let i = 0; i < n; i++) counts[random.integer(7)]!++;
    const chi2 = counts.reduce((s, c) => s + (c - n / 7) ** 2 / (n / 7), 0);
    expect(chi2).toBeLessThan(22.46); // χ² with 6 degrees of freedom exceeds this once in a thousand
  });

  it("shuffles every item into the array once and differently by seed", () => {
    const order = (seed: number) => new RandomStream(seed).shuffle(Array.from({ length: 31 }, (_, i) => i));
    expect([...order(1)].sort((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, i) => i));
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
  });

  it("refuses a seed that is not a safe integer", () => {
    expect(() => new RandomStream(0.5)).toThrow(OptionError);
    expect(() => new RandomStream(0.5)).toThrow(
      "RandomStream: seed must be an integer from 0 to 9007199254740991, got 0.5; round it or choose one in that range",
    );
    expect(() => new RandomStream(1).integer(0)).toThrow(
      "RandomStream.integer: n must be an integer from 1 to 4294967296, got 0; round it or choose one in that range",
    );
  });
});
