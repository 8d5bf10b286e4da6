import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { type AnyCells, MASKED, NOT_FINITE, VALUE } from "../../src/inspect/cells.ts";
import { blockTokens, cellsOf, fitCells, poolingNote } from "../../src/viz/data.ts";
import { numbered } from "./fixtures.ts";

const tokens = { rowTokens: ["a", "b"], columnTokens: ["x", "y", "z"] };

describe("cellsOf", () => {
  it("reads flat and nested, typed and plain arrays alike", () => {
    const expected = {
      rows: 2,
      columns: 3,
      values: new Float64Array([1, 2, 3, 4, 5, 6]),
      kinds: new Uint8Array(6),
    };
    const forms = [
      [1, 2, 3, 4, 5, 6],
      new Float32Array([1, 2, 3, 4, 5, 6]),
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [new Float32Array([1, 2, 3]), new Float32Array([4, 5, 6])],
    ];
    for (const weights of forms) expect(cellsOf("test", { ...tokens, weights })).toEqual(expected);
  });

  it("refuses tokens that are no text", () => {
    const data = { weights: [1, 2, 3, 4, 5, 6], ...tokens, columnTokens: ["x", 7, "z"] };
    expect(() => cellsOf("test", data as never)).toThrow(
      new OptionError("OPTION", {
        op: "test",
        rule: "columnTokens must be a list of texts",
        got: "number at 1",
        remedy: "pass String(token)",
      }),
    );
  });

  it("keeps masked and not finite cells apart from zero, and the mask wins", () => {
    const { kinds, values } = cellsOf("test", {
      ...tokens,
      weights: [0, Number.NaN, Number.NEGATIVE_INFINITY, Number.NaN, 7, 0],
      mask: [true, true, true, false, false, true],
    });
    expect([...kinds]).toEqual([VALUE, NOT_FINITE, NOT_FINITE, MASKED, MASKED, VALUE]);
    expect([...values]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it.each([
    [
      { weights: [1, 2, 3] },
      "weights must have 2 rows (rowTokens) of 3 columns (columnTokens), got 3 numbers",
    ],
    [
      {
        weights: [
          [1, 2, 3],
          [4, 5],
        ],
      },
      "weights must have 2 rows (rowTokens) of 3 columns (columnTokens), got 2 rows of 2 or 3 columns",
    ],
    [
      { weights: [1, 2, 3, 4, 5, 6], mask: [true] },
      "mask must have 2 rows (rowTokens) of 3 columns (columnTokens), got 1 numbers",
    ],
  ])("refuses %j", (data, says) => {
    const read = () => cellsOf("heatmap", { ...tokens, ...data });
    expect(read).toThrow(ShapeError);
    expect(read).toThrow(`heatmap: ${says}; pass one token for every row and every column`);
  });

  it("refuses a map without rows or columns", () => {
    const read = () => cellsOf("heatmap", { weights: [], rowTokens: [], columnTokens: ["x"] });
    expect(read).toThrow(OptionError);
    expect(read).toThrow(
      "heatmap: a heat map must have at least one row and one column, got 0 rows and 1 columns; " +
        "pass at least one token on each side",
    );
  });
});

/** The definition, cell by cell. */
function pooledCell(
  { columns, rows, values, kinds }: AnyCells,
  i: number,
  j: number,
  rf: number,
  cf: number,
) {
  const block: { value: number; kind: number }[] = [];
  for (let y = i * rf; y < Math.min(rows, (i + 1) * rf); y++)
    for (let x = j * cf; x < Math.min(columns, (j + 1) * cf); x++)
      block.push({ value: values[y * columns + x]!, kind: kinds[y * columns + x]! });
  if (block.some(({ kind }) => kind === NOT_FINITE)) return { kind: NOT_FINITE, value: 0 };
  const visible = block.filter(({ kind }) => kind === VALUE);
  if (visible.length === 0) return { kind: MASKED, value: 0 };
  return { kind: VALUE, value: Math.max(...visible.map(({ value }) => value)) };
}

describe("fitCells", () => {
  it("equals the definition for every size, mask and sign", () => {
    const cell = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.double({ min: -1, max: 1, noNaN: true }).map((value) => ({ value, kind: VALUE })),
      },
      { weight: 3, arbitrary: fc.constant({ value: 0, kind: MASKED }) },
      { weight: 1, arbitrary: fc.constant({ value: 0, kind: NOT_FINITE }) },
    );
    const size = fc.integer({ min: 1, max: 23 });
    const inputs = fc.tuple(size, size).chain(([rows, columns]) =>
      fc.record({
        rows: fc.constant(rows),
        columns: fc.constant(columns),
        cells: fc.array(cell, { minLength: rows * columns, maxLength: rows * columns }),
        maxRows: fc.integer({ min: 1, max: 13 }),
        maxColumns: fc.integer({ min: 1, max: 13 }),
      }),
    );
    fc.assert(
      fc.property(inputs, ({ rows, columns, cells, maxRows, maxColumns }) => {
        const matrix = {
          rows,
          columns,
          values: Float64Array.from(cells, ({ value }) => value),
          kinds: Uint8Array.from(cells, ({ kind }) => kind),
        };
        const pooled = fitCells(matrix, maxRows, maxColumns);
        expect(pooled.rows).toBeLessThanOrEqual(maxRows);
        expect(pooled.columns).toBeLessThanOrEqual(maxColumns);
        for (let i = 0; i < pooled.rows; i++)
          for (let j = 0; j < pooled.columns; j++) {
            const k = i * pooled.columns + j;
            expect({ kind: pooled.kinds[k], value: pooled.values[k] }).toEqual(
              pooledCell(matrix, i, j, pooled.rowFactor, pooled.columnFactor),
            );
          }
      }),
    );
  });

  it("keeps a single hot cell that nearest-neighbour sampling would lose", () => {
    const values = new Float64Array(97 * 89);
    values[53 * 89 + 61] = 1;
    const pooled = fitCells({ rows: 97, columns: 89, values, kinds: new Uint8Array(97 * 89) }, 7, 11);
    expect([...pooled.values].filter((value) => value === 1)).toHaveLength(1);
  });

  it("says by how much", () => {
    const note = (rowFactor: number, columnFactor: number) =>
      poolingNote({
        rows: 1,
        columns: 1,
        values: new Float64Array(1),
        kinds: new Uint8Array(1),
        rowFactor,
        columnFactor,
      });
    expect([note(1, 1), note(4, 4), note(1, 3), note(3, 1), note(2, 5)]).toEqual([
      undefined,
      "pooled 4×",
      "pooled 3× across",
      "pooled 3× down",
      "pooled 2× down and 5× across",
    ]);
  });

  it("names a block by its first and last token", () => {
    expect(blockTokens(numbered("t", 7), 3)).toEqual(["t0…t2", "t3…t5", "t6"]);
    expect(blockTokens(["a", "b"], 1)).toEqual(["a", "b"]);
  });
});
