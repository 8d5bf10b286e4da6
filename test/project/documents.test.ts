import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

test("docs/MECHANISMS.md is what the headers of the sources say", () => {
  const script = path.join(root, "tools/docs/mechanisms.mjs");
  const made = execFileSync(process.execPath, [script, "--print"], { encoding: "utf8" });
  expect(read("docs/MECHANISMS.md"), "run node tools/docs/mechanisms.mjs").toBe(made);
});

test("docs/HISTORY.md gives every paper the month of its arXiv number, in order", () => {
  const MONTHS =
    "January February March April May June July August September October November December".split(" ");
  const rows = [...read("docs/HISTORY.md").matchAll(/^\| (\w+) (\d{4}) +\|.*\[(\d\d)(\d\d)\.\d{4,5}\]/gm)];
  const dates = rows.map((row) => row.slice(1));
  expect(dates.length).toBe(read("docs/HISTORY.md").match(/arxiv\.org\/abs/g)!.length);
  for (const [month, year, yy, mm] of dates) {
    expect(`${month} ${year}`).toBe(`${MONTHS[Number(mm) - 1]} 20${yy}`);
  }
  const order = dates.map(([, , yy, mm]) => Number(`${yy}${mm}`));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test("docs/HISTORY.md dates attention for translation to 2014 and Attention Is All You Need to 2017", () => {
  const history = read("docs/HISTORY.md");
  expect(history).toMatch(/^\| September 2014 +\|.*Bahdanau.*1409\.0473/m);
  expect(history).toMatch(/^\| June 2017 +\|.*Attention Is All You Need.*1706\.03762/m);
});
