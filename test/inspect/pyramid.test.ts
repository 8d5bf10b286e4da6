import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Cells,
  MASKED,
  NOT_FINITE,
  pool,
  pyramid,
  type Reduction,
  VALUE,
} from "../../src/inspect/index.ts";

/** Each block by itself: its visible values, its largest, mean or furthest from 0. */
function bruteForce({ rows, columns, values, kinds }: Cells, factor: number, reduction: Reduction) {
  const out: [kind: number, value: number][] = [];
  for (let y = 0; y < rows; y += factor)
    for (let x = 0; x < columns; x += factor) {
      const block: number[] = [];
      let notFinite = false;
      for (let t = y; t < Math.min(rows, y + factor); t++)
        for (let s = x; s < Math.min(columns, x + factor); s++) {
          if (kinds[t * columns + s] === VALUE) block.push(values[t * columns + s]!);
          if (kinds[t * columns + s] === NOT_FINITE) notFinite = true;
        }
      if (notFinite) out.push([NOT_FINITE, 0]);
      else if (block.length === 0) out.push([MASKED, 0]);
      else if (reduction === "mean") out.push([VALUE, block.reduce((sum, w) => sum + w, 0) / block.length]);
      else if (reduction === "max") out.push([VALUE, Math.max(...block)]);
      else out.push([VALUE, block.reduce((best, w) => (Math.abs(w) > Math.abs(best) ? w : best))]);
    }
  return out;
}

const cells: fc.Arbitrary<Cells> = fc
  .tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 13 }))
  .chain(([rows, columns]) => {
    const length = { minLength: rows * columns, maxLength: rows * columns };
    // Distinct magnitudes, so that the one furthest from 0 is one.
    const values = fc.uniqueArray(fc.integer({ min: 1, max: 4000 }), length);
    const signs = fc.array(fc.boolean(), length);
    const kinds = fc.array(fc.constantFrom(VALUE, VALUE, VALUE, MASKED, MASKED, NOT_FINITE), length);
    return fc.tuple(values, signs, kinds).map(([sizes, negative, kind]) => ({
      rows,
      columns,
      values: Float32Array.from(sizes, (n, e) => (kind[e] === VALUE ? ((negative[e] ? -1 : 1) * n) / 64 : 0)),
      kinds: Uint8Array.from(kind),
    }));
  });

describe("pool", () => {
  it("equals brute force for odd, rectangular and single rows, with hidden and not finite cells", () => {
    fc.assert(
      fc.property(
        cells,
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom<Reduction>("max", "mean", "maxAbs"),
        (whole, factor, reduction) => {
          const pooled = pool(whole, factor, reduction);
          const expected = bruteForce(whole, factor, reduction);
          expect([...pooled.kinds]).toEqual(expected.map(([kind]) => kind));
          // Sums of multiples of 1/64 are exact; a mean is rounded once.
          expect([...pooled.values]).toEqual(expected.map(([, value]) => Math.fround(value)));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("loses no hot cell among 4096 × 3 cold ones, and leaves its input as it was", () => {
    const values = new Float32Array(4096 * 3);
    values[3 * 4095 + 2] = 1;
    const whole: Cells = { rows: 4096, columns: 3, values, kinds: new Uint8Array(values.length) };
    const before = values.slice();
    expect(Math.max(...pool(whole, 64).values)).toBe(1);
    expect(values).toEqual(before);
  });

  it("refuses factors that are none", () => {
    const one: Cells = { rows: 1, columns: 1, values: new Float32Array(1), kinds: new Uint8Array(1) };
    expect(() => pool(one, 0)).toThrow("pool: factor must be an integer ≥ 1, got 0");
    expect(() => pool(one, 2, "median" as "mean")).toThrow(
      "pool: reduction must be max or mean or maxAbs, got median",
    );
  });
});

describe("pyramid", () => {
  it("has levels of half the size down to one cell, each equal to pooling the cells at once", () => {
    fc.assert(
      fc.property(cells, fc.constantFrom<Reduction>("max", "mean", "maxAbs"), (whole, reduction) => {
        const levels = pyramid(whole, reduction);
        expect(levels[0]).toBe(whole);
        expect([levels.at(-1)!.rows, levels.at(-1)!.columns]).toEqual([1, 1]);
        for (const [n, level] of levels.entries())
          if (n > 0) expect(level).toEqual(pool(whole, 2 ** n, reduction));
      }),
      { numRuns: 300 },
    );
  });

  it("stays masked where all is masked, and 1 × N where there is one row", () => {
    const masked: Cells = {
      rows: 1,
      columns: 9,
      values: new Float32Array(9),
      kinds: new Uint8Array(9).fill(MASKED),
    };
    const levels = pyramid(masked);
    expect(levels.map(({ rows, columns }) => [rows, columns])).toEqual([
      [1, 9],
      [1, 5],
      [1, 3],
      [1, 2],
      [1, 1],
    ]);
    expect(levels.every(({ kinds }) => kinds.every((kind) => kind === MASKED))).toBe(true);
  });
});
