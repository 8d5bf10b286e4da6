import { describe, expect, test } from "vitest";
import { movedCursor } from "../../src/elements/parts/keys.ts";
import { axisLabels, labelStep } from "../../src/elements/parts/labels.ts";
import { lookup, paint, pixel } from "../../src/elements/parts/lookup.ts";
import { rovingStep } from "../../src/elements/parts/roving.ts";
import {
  BY_KEY,
  cellSentence,
  type Line,
  lineSentence,
  short,
  strongest,
  weightText,
} from "../../src/elements/parts/sentences.ts";
import { isZoomed, panned, revealed, wholeMap, zoomed } from "../../src/elements/parts/window.ts";
import { MOST_PINS, SelectionStore, togglePin } from "../../src/elements/selection.ts";
import { MASKED, NOT_FINITE, VALUE } from "../../src/inspect/cells.ts";
import { colorAt, contrast } from "../../src/viz/color.ts";

const cells = (values: number[], kinds = values.map(() => VALUE)) => ({
  rows: 1,
  columns: values.length,
  values: Float32Array.from(values),
  kinds: Uint8Array.from(kinds),
});
const row = (values: number[], kinds?: number[]): Line => ({
  token: "sat",
  others: values.map((_, s) => `k${s}`),
  cells: cells(values, kinds),
});

describe("the sentences below a picture", () => {
  test("tell a weight with its rank among the keys that can be seen", () => {
    const three = row([0.25, 0.75, 0], [VALUE, VALUE, MASKED]);
    expect(cellSentence(three, 5, 0)).toBe("query 5 “sat”, key 0 “k0”: weight 0.250, rank 2 of 2");
    expect(cellSentence(three, 5, 2)).toBe("query 5 “sat”, key 2 “k2”: masked");
    expect(cellSentence(row([0], [NOT_FINITE]), 5, 0)).toBe("query 5 “sat”, key 0 “k0”: not a finite number");
  });

  test("tell where a row looks, how few keys hold most of it, and how many are hidden", () => {
    expect(lineSentence(row([0.5, 0.25, 0.25, 0], [VALUE, VALUE, VALUE, MASKED]))).toBe(
      "“sat” attends most to “k0” (0.500); 2 of 3 keys hold 75 %; 1 key masked.",
    );
    expect(lineSentence(row([1]))).toBe("“sat” attends most to “k0” (1.000); the only key holds 100 %.");
    expect(lineSentence(row([0], [MASKED]))).toBe("“sat” has nothing to attend to.");
    expect(lineSentence(row([-1, 0.5]))).toBe("“sat” attends most to “k1” (0.500).");
  });

  test("tell of a key who attends to it", () => {
    expect(lineSentence(row([0.5, 0.25, 0], [VALUE, VALUE, MASKED]), BY_KEY)).toBe(
      "“sat” is attended to most by “k0” (0.500); 1 of 2 queries holds 67 %; 1 query masked.",
    );
    expect(lineSentence(row([0, 0], [MASKED, MASKED]), BY_KEY)).toBe("“sat” is hidden from every query.");
  });

  test("cut tokens between the characters that a reader sees", () => {
    const family = "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}";
    expect(short(family.repeat(40))).toBe(family.repeat(40));
    expect(short(family.repeat(41))).toBe(`${family.repeat(39)}…`);
    expect(short("a\u202eb")).toBe("a\\u202eb");
  });

  test("write small and negative weights so that they are not taken for 0", () => {
    expect([0, 0.5, -0.5, 1e-7].map(weightText)).toEqual(["0.000", "0.500", "−0.500", "1.0e−7"]);
  });

  test("find the strongest keys in order, the first of equals first", () => {
    expect(strongest(cells([1, 3, 2, 3, 9], [VALUE, VALUE, VALUE, VALUE, MASKED]), 3)).toEqual([1, 3, 2]);
    expect(strongest(cells([1], [MASKED]), 3)).toEqual([]);
  });
});

describe("the keys", () => {
  const press = (key: string, more = {}) => ({
    key,
    shiftKey: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    ...more,
  });
  const at = { row: 20, column: 3 };
  const field = { rows: 41, columns: 7 };

  test("move one cell, ten, a page, or to an end, and never out of the field", () => {
    const moves: [string, object, [number, number]][] = [
      ["ArrowDown", {}, [21, 3]],
      ["ArrowUp", { shiftKey: true }, [10, 3]],
      ["ArrowRight", { shiftKey: true }, [20, 6]],
      ["ArrowLeft", {}, [20, 2]],
      ["PageDown", {}, [25, 3]],
      ["PageUp", {}, [15, 3]],
      ["Home", {}, [20, 0]],
      ["End", {}, [20, 6]],
      ["Home", { ctrlKey: true }, [0, 0]],
      ["End", { ctrlKey: true }, [40, 6]],
    ];
    for (const [key, more, [row, column]] of moves)
      expect(movedCursor(press(key, more), at, field), key).toEqual({ row, column });
  });

  test("leave Alt and other keys to others", () => {
    expect(movedCursor(press("ArrowDown", { altKey: true }), at, field)).toBeUndefined();
    expect(movedCursor(press("x"), at, field)).toBeUndefined();
  });
});

describe("the keys of a row of tabs or tokens", () => {
  const press = (key: string, more = {}) => ({ key, ...more });

  test("go one on or back, or to an end, round or not", () => {
    expect(rovingStep(press("ArrowRight"), 2, 3, true)).toBe(0);
    expect(rovingStep(press("ArrowRight"), 2, 3, false)).toBe(2);
    expect(rovingStep(press("ArrowLeft"), 0, 3, true)).toBe(2);
    expect(rovingStep(press("ArrowLeft"), 0, 3, false)).toBe(0);
    expect(rovingStep(press("Home"), 2, 3, false)).toBe(0);
    expect(rovingStep(press("End"), 0, 3, true)).toBe(2);
  });

  test("leave the browser's to the browser, and an empty row alone", () => {
    expect(rovingStep(press("ArrowLeft", { altKey: true }), 1, 3, true)).toBeUndefined();
    expect(rovingStep(press("a"), 1, 3, true)).toBeUndefined();
    expect(rovingStep(press("End"), 0, 0, true)).toBeUndefined();
  });
});

describe("the window of a map", () => {
  test("zooms around a point and never leaves the map", () => {
    const half = zoomed(wholeMap(40, 20), 2, 40, 20, 1, 0);
    expect(half).toEqual({ x: 10, y: 0, width: 10, height: 20 });
    expect(isZoomed(half, 40, 20)).toBe(true);
    expect(zoomed(half, 0.1, 40, 20, 0.5, 0.5)).toEqual(wholeMap(40, 20));
    expect(zoomed(half, 1000, 40, 20, 0.5, 0.5)).toMatchObject({ width: 4, height: 4 });
    expect(panned(half, -99, 99, 40, 20)).toEqual({ x: 0, y: 20, width: 10, height: 20 });
  });

  test("moves just enough to hold a cell", () => {
    const window = { x: 10, y: 0, width: 10, height: 20 };
    expect(revealed(window, 5, 12)).toBe(window);
    expect(revealed(window, 20, 9)).toEqual({ x: 9, y: 1, width: 10, height: 20 });
  });
});

describe("the labels of an axis", () => {
  test("thin out in round steps, and then tell positions", () => {
    expect([20, 15, 10, 5, 1, 0.1].map(labelStep)).toEqual([1, 1, 2, 5, 20, 200]);
    const tokens = Array.from({ length: 30 }, (_, n) => `t${n}`);
    expect(axisLabels(tokens, 0, 30, 3).map(({ text }) => text)).toEqual([
      "0 t0",
      "5 t5",
      "10 t10",
      "15 t15",
      "20 t20",
      "25 t25",
    ]);
    expect(axisLabels(["a\u202e", "b"], 0, 2, 40).map(({ text }) => text)).toEqual(["a\\u202e", "b"]);
  });
});

describe("the colours of cells", () => {
  test("are those of the palette, clear where hidden, and one of their own where not finite", () => {
    const table = lookup("viridis");
    const six = cells([0, 0.5, 1, 2, 0, 0], [0, 0, 0, 0, MASKED, NOT_FINITE]);
    const look = { table, range: [0, 1], notFinite: 7 } as const;
    const painted = paint(six, look);
    const color = (t: number) => pixel(colorAt("viridis", t));
    expect([...painted]).toEqual([color(0), color(0.5), color(1), color(1), 0, 7]);
    const logs = paint(cells([1, 1e-3, 1e-7]), { ...look, scale: "log" });
    expect([...logs]).toEqual([color(1), color(0.5), color(0)]);
  });

  test("stand apart from the hatch's lines in both schemes for at least one of its two greys", () => {
    const greys = { light: [0xe4, 0x7a], dark: [0x30, 0x94] };
    for (const [scheme, pair] of Object.entries(greys))
      for (let i = 0; i < 256; i++) {
        const own = colorAt("viridis", (i + 0.5) / 256);
        const best = Math.max(...pair.map((grey) => contrast([grey, grey, grey], own)));
        expect(best, `${scheme} ${i}`).toBeGreaterThan(1.5);
      }
  });
});

describe("the selection", () => {
  test("tells its listeners what is new, and only that", () => {
    const store = new SelectionStore();
    let heard = 0;
    const stop = store.subscribe(() => heard++);
    store.set({ query: 3 });
    store.set({ query: 3 });
    stop();
    store.set({ query: 4 });
    expect([heard, store.value.query]).toEqual([1, 4]);
  });

  test("pins and frees cells, eight at most", () => {
    const eight = Array.from({ length: MOST_PINS }, (_, query) => ({ query, key: 0 }));
    expect(togglePin([], { query: 1, key: 2 })).toEqual([{ query: 1, key: 2 }]);
    expect(togglePin(eight, { query: 3, key: 0 })).toHaveLength(7);
    expect(togglePin(eight, { query: 9, key: 0 })).toBeUndefined();
  });
});
