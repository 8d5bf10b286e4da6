import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseSeries, readSeries } from "../../../src/tasks/forecasting/csv.ts";
import { cutSeries } from "../../../src/tasks/forecasting/cut-series.ts";
import { areDriversFirst } from "../../../src/tasks/forecasting/evaluate.ts";
import { composeSeries, DRIVERS, exampleSeries, TARGET } from "../../../src/tasks/forecasting/series.ts";
import { windowsOf } from "../../../src/tasks/forecasting/windows.ts";

test("growth is what the scarcest input of each of three times allows, to a little noise", () => {
  const { names, columns } = composeSeries({ times: 3000, decoys: 4, seed: 3 });
  expect([...names].sort()).toEqual([...DRIVERS, TARGET, "input 1", "input 2", "input 3", "input 4"].sort());
  expect(names.at(-1)).toBe(TARGET);
  const column = (name: string) => columns[names.indexOf(name)]!;
  const limit = (t: number) => Math.min(...DRIVERS.map((name) => column(name)[t]!));
  let [sum, worst] = [0, 0];
  for (let t = 3; t < 3000; t++) {
    const rest = column(TARGET)[t]! - (0.6 * limit(t - 1) + 0.3 * limit(t - 2) + 0.1 * limit(t - 3));
    sum += rest ** 2;
    worst = Math.max(worst, Math.abs(rest));
  }
  expect(Math.sqrt(sum / 2997)).toBeCloseTo(0.05, 2);
  expect(worst).toBeLessThan(0.3);
});

test("drivers and decoys are made alike", () => {
  const { names, columns } = composeSeries({ times: 20_000, decoys: 2, seed: 4 });
  for (const [v, column] of columns.slice(0, -1).entries()) {
    const variance = column.reduce((sum, x) => sum + x * x, 0) / 20_000;
    const next = column.slice(1).reduce((sum, x, t) => sum + x * column[t]!, 0) / 19_999;
    expect(variance, names[v]).toBeCloseTo(1, 1);
    expect(next / variance, names[v]).toBeCloseTo(0.6, 1);
  }
});

test("a seed makes one series, and an example is none that a recipe's seed makes", () => {
  const options = { times: 50, decoys: 9, seed: 1 };
  expect(composeSeries(options)).toEqual(composeSeries(options));
  expect(composeSeries({ ...options, seed: 2 }).columns).not.toEqual(composeSeries(options).columns);
  expect([...exampleSeries(7).names].sort()).toEqual([...composeSeries(options).names].sort());
});

test("a table's numbers are read with their names, its target last, and dates are left out", () => {
  const text =
    '\ufeffday,"sales, total",price\r\n2024-01-01,3,1.5\r\n2024-01-02,4,1e1\r\n\r\n2024-01-03,"5",-2\n';
  const table = parseSeries(text, "a.csv");
  expect(table.names).toEqual(["sales, total", "price"]);
  expect(table.columns).toEqual([Float64Array.of(3, 4, 5), Float64Array.of(1.5, 10, -2)]);
  expect(table.leftOut).toEqual(["day"]);
  expect(parseSeries(text, "a.csv", "sales, total").names).toEqual(["price", "sales, total"]);
  expect(parseSeries('a,"say ""b"""\n1,2\n', "a.csv").names).toEqual(["a", 'say "b"']);
});

test.each<[string, string, string]>([
  ["nothing", "", "a table must have a row of names and rows of numbers, got none in a.csv"],
  ["names alone", "a,b\n", "a table must have a row of names and rows of numbers"],
  ["a name twice", "a,a\n1,2\n", 'columns must have different names, got "a" in a.csv'],
  ["no name", "a,\n1,2\n", 'columns must have different names, got "" in a.csv'],
  ["a short row", "a,b\n1,2\n3\n", "row 3 must have 2 cells, got 1 in a.csv"],
  ["a gap", "a,b\n1,2\n,4\n", 'row 3 must have a number for "a", got "" in a.csv'],
  ["infinity", "a,b\n1,2\n3,1e999\n", 'row 3 must have a number for "b", got "1e999" in a.csv'],
  ["words alone", "a,b\nx,y\n", "the target must be one of the columns of numbers, none"],
])("a table with %s is refused in one line", (_, text, message) => {
  expect(() => parseSeries(text, "a.csv")).toThrow(`readSeries: ${message}`);
});

test("a target that is no column is refused, and a file that is none is said", () => {
  expect(() => parseSeries("a,b\n1,2\n", "a.csv", "c")).toThrow(
    'readSeries: the target must be one of the columns of numbers, a, b, got "c" in a.csv; name one of them',
  );
  const folder = mkdtempSync(path.join(tmpdir(), "heed-series-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, "a.csv"), "a,b\n1,2\n");
  expect(readSeries(path.join(folder, "a.csv")).names).toEqual(["a", "b"]);
  expect(() => readSeries(path.join(folder, "b.csv"))).toThrow("b.csv must be readable, got no such file");
});

test("windows are cut by hand: what follows each is its target", () => {
  const columns = [Float64Array.of(1, 2, 3, 4, 5), Float64Array.of(10, 20, 30, 40, 50)];
  const scaling = { means: [3, 30], deviations: [2, 10] };
  const { count, inputs, targets } = windowsOf(columns, scaling, 2, 1, 5);
  expect(count).toBe(2);
  expect([...inputs]).toEqual([-0.5, -1, 0, 0, 0, 0, 0.5, 1]);
  expect([...targets]).toEqual([1, 2]);
});

test("parts follow one another in time, and only training decides the scale", () => {
  const column = Float64Array.from({ length: 100 }, (_, t) => (t < 70 ? t % 2 : 1000));
  const other = Float64Array.from({ length: 100 }, (_, t) => t);
  const {
    train,
    valid,
    test: last,
    scaling,
  } = cutSeries("op", { names: ["a", "b"], columns: [column, other] }, 3);
  expect(scaling.means).toEqual([0.5, 34.5]);
  expect([train.count, valid.count, last.count]).toEqual([67, 12, 12]);
  const unscaled = (value: number) => value * scaling.deviations[1]! + scaling.means[1]!;
  expect(unscaled(train.targets.at(-1)!)).toBeCloseTo(69, 4);
  expect(unscaled(valid.inputs[1]!)).toBeCloseTo(70, 4);
  expect(unscaled(last.targets.at(-1)!)).toBeCloseTo(99, 4);
});

test("a series that is too short or stands still is refused", () => {
  const columns = [Float64Array.from({ length: 20 }, (_, t) => t)];
  expect(() => cutSeries("op", { names: ["a"], columns }, 3)).toThrow(
    "op: each part must have more than 3 times: 0.7 of them are for training, and half of the rest for the test, got 20 times",
  );
  expect(() => cutSeries("op", { names: ["a"], columns: [new Float64Array(100).fill(2)] }, 3)).toThrow(
    'op: each column must change, got a deviation of 0 of "a"; remove that column',
  );
});

test("drivers stand first where every one is before every decoy; the target's own past may stand anywhere", () => {
  expect(areDriversFirst(["water", TARGET, "light", "nitrogen", "input 1"])).toBe(true);
  expect(areDriversFirst(["water", "light", "input 1", "nitrogen"])).toBe(false);
  expect(areDriversFirst(["a", "b"])).toBeUndefined();
});
