import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { RandomStream } from "../../src/core/random.ts";
import { type MaskingOptions, maskPieces } from "../../src/data/masking.ts";

const [PAD, CLS, SEP, MASK, V] = [0, 1, 2, 3, 101];
const SPECIAL = [PAD, CLS, SEP];

/** `rows` rows of 2 special pieces, 17 others, and 4 of padding. */
function batch(rows: number): Int32Array {
  const random = new RandomStream(7);
  const row = () => [
    CLS,
    ...Array.from({ length: 17 }, () => 4 + random.integer(V - 4)),
    SEP,
    PAD,
    PAD,
    PAD,
    PAD,
  ];
  return Int32Array.from(Array.from({ length: rows }, row).flat());
}

const options = (seed = 1, changes: Partial<MaskingOptions> = {}): MaskingOptions => ({
  random: new RandomStream(seed),
  vocabulary: V,
  mask: MASK,
  special: SPECIAL,
  ...changes,
});

/** How many pieces became [MASK], another piece, or stayed though they are asked for; and how many are asked for. */
function counts(pieces: Int32Array, changes: Partial<MaskingOptions> = {}, seed = 1) {
  const { ids, labels } = maskPieces(pieces, options(seed, changes));
  const chosen = [...labels.keys()].filter((at) => labels[at]! >= 0);
  const of = (holds: (at: number) => boolean) => chosen.filter(holds).length;
  const masked = of((at) => ids[at] === MASK);
  const kept = of((at) => ids[at] === pieces[at]);
  return { chosen: chosen.length, masked, kept, replaced: chosen.length - masked - kept };
}

describe("maskPieces", () => {
  test("chooses 15 % of the pieces that are not special: 80 % [MASK], 10 % random, 10 % as they were", () => {
    // 200 rows of 17: 3400 pieces, of which 510; of these 408 and 51. A random piece is by chance the piece itself.
    const { chosen, masked, replaced, kept } = counts(batch(200));
    expect([chosen, masked]).toEqual([510, 408]);
    expect(replaced + kept).toBe(102);
    expect(replaced).toBeLessThanOrEqual(51);
    expect(replaced).toBeGreaterThanOrEqual(47);
  });

  test.each([
    [
      { masked: 1, replaced: 0 },
      { chosen: 510, masked: 510, replaced: 0, kept: 0 },
    ],
    [
      { masked: 0, replaced: 0 },
      { chosen: 510, masked: 0, replaced: 0, kept: 510 },
    ],
    [
      { share: 1, masked: 0.5, replaced: 0 },
      { chosen: 3400, masked: 1700, replaced: 0, kept: 1700 },
    ],
    [
      { share: 0.4, masked: 0.9, replaced: 0 },
      { chosen: 1360, masked: 1224, replaced: 0, kept: 136 },
    ],
  ])("keeps to other shares exactly: %o", (changes, expected) => {
    expect(counts(batch(200), changes)).toEqual(expected);
  });

  test("asks for the piece that stood there, and for −1 where nothing is asked", () => {
    const pieces = batch(11);
    const { ids, labels } = maskPieces(pieces, options());
    for (const [at, label] of labels.entries()) {
      expect(label === -1 || label === pieces[at]).toBe(true);
      if (label === -1) expect(ids[at]).toBe(pieces[at]);
    }
  });

  test("neither chooses nor puts in a special piece, however small the vocabulary", () => {
    const pieces = Int32Array.from([CLS, 4, 5, 4, SEP, MASK, 5, PAD]);
    for (let seed = 0; seed < 50; seed++) {
      const changes = { vocabulary: 6, share: 1, masked: 0, replaced: 1 };
      const { ids, labels } = maskPieces(pieces, options(seed, changes));
      expect([...labels]).toEqual([-1, 4, 5, 4, -1, -1, 5, -1]);
      for (const at of [1, 2, 3, 6]) expect([4, 5]).toContain(ids[at]);
      for (const at of [0, 4, 5, 7]) expect(ids[at]).toBe(pieces[at]);
    }
  });

  test("chooses every piece equally often, and puts in every piece equally often", () => {
    const pieces = Int32Array.from([CLS, 4, 5, 6, 7, 8, SEP]);
    const chosen = new Array(7).fill(0);
    const put = new Array(9).fill(0);
    const RUNS = 5000;
    for (let seed = 0; seed < RUNS; seed++) {
      const { ids, labels } = maskPieces(pieces, options(seed, { vocabulary: 9, masked: 0, replaced: 1 }));
      const at = labels.findIndex((label) => label >= 0);
      chosen[at]++;
      put[ids[at]!]++;
    }
    // One piece of five a run: 1000 each, with a standard deviation of √(5000 · 0.2 · 0.8) = 28.
    for (const at of [1, 2, 3, 4, 5]) expect(Math.abs(chosen[at] - RUNS / 5)).toBeLessThan(5 * 28.3);
    for (const id of [4, 5, 6, 7, 8]) expect(Math.abs(put[id] - RUNS / 5)).toBeLessThan(5 * 28.3);
  });

  test("is a function of the stream and its position, and another one for the next", () => {
    const pieces = batch(13);
    const random = new RandomStream(5, 2);
    const [first, second] = [1, 2].map(() => maskPieces(pieces, options(0, { random })));
    const again = maskPieces(pieces, options(0, { random: new RandomStream(5, 2) }));
    expect(again).toEqual(first);
    expect(second).not.toEqual(first);
    expect(pieces).toEqual(batch(13));
  });

  test("chooses one piece where the share is less than one, none where all are special", () => {
    expect(counts(Int32Array.from([CLS, 7, 8, SEP])).chosen).toBe(1);
    const special = [CLS, SEP, MASK, PAD];
    expect(maskPieces(special, options())).toEqual({
      ids: Int32Array.from(special),
      labels: new Int32Array(4).fill(-1),
    });
    expect(maskPieces([], options()).ids.length).toBe(0);
  });

  test.each<[Partial<MaskingOptions>, string]>([
    [{ share: 0 }, "maskPieces: share must be a number above 0, at most 1, got 0"],
    [{ share: Number.NaN }, "maskPieces: share must be a number above 0, at most 1, got NaN"],
    [{ masked: 1.5 }, "maskPieces: masked must be a number from 0 to 1, got 1.5"],
    [{ masked: 0.9, replaced: 0.2 }, "maskPieces: replaced must be a number from 0 to 1 − masked, got 0.2"],
    [{ replaced: -1 }, "maskPieces: replaced must be a number from 0 to 1 − masked, got -1"],
    [{ mask: V }, "maskPieces: mask and every id of special must be an integer from 0 to 100, got 101"],
    [{ special: [-1] }, "maskPieces: mask and every id of special must be an integer from 0 to 100, got -1"],
    [{ vocabulary: 0 }, "maskPieces: vocabulary must be an integer ≥ 1, got 0"],
    [{ vocabulary: 4 }, "maskPieces: special must be fewer ids than the vocabulary has, got all 4"],
    [{ vocabulary: 50 }, "maskPieces: every piece must be an integer from 0 to 49, got "],
  ])("refuses %o before it draws", (changes, message) => {
    const given = options(1, changes);
    expect(() => maskPieces(batch(3), given)).toThrow(OptionError);
    expect(() => maskPieces(batch(3), given)).toThrow(message);
    expect(given.random.position).toBe(0);
  });
});
