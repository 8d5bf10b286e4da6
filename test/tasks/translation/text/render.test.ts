import { expect, it } from "vitest";
import { renderValue } from "../../../../src/tasks/translation/text/render.ts";
import type { Value } from "../../../../src/tasks/translation/text/values.ts";

const all = (value: Value) => (["fr", "de", "es"] as const).map((language) => renderValue(value, language));
const number = (digits: string, grouped = false) => ({ digits, grouped });

it("writes numbers with the marks of each language and groups what was grouped", () => {
  expect(all({ type: "number", number: number("1234.56", true) })).toEqual([
    "1 234,56",
    "1.234,56",
    "1.234,56",
  ]);
  expect(all({ type: "number", number: number("2026") })).toEqual(["2026", "2026", "2026"]);
  expect(all({ type: "number", number: number("-1000000", true) })).toEqual([
    "-1 000 000",
    "-1.000.000",
    "-1.000.000",
  ]);
  expect(all({ type: "ordinal", number: 1 })).toEqual(["1er", "1.", "1.º"]);
  expect(all({ type: "measure", number: number("20"), unit: "%" })).toEqual(["20 %", "20 %", "20 %"]);
});

it("writes prices, with the English billion as it is called", () => {
  const price = { type: "price", currency: "$" } as const;
  expect(all({ ...price, number: number("19.99") })).toEqual(["19,99 $", "19,99 $", "19,99 $"]);
  expect(all({ ...price, number: number("3.5"), scale: "billion" })).toEqual([
    "3,5 milliards de dollars",
    "3,5 Milliarden Dollar",
    "3500 millones de dólares",
  ]);
  expect(all({ ...price, currency: "€", number: number("1"), scale: "million" })).toEqual([
    "1 million d'euros",
    "1 Million Euro",
    "1 millón de euros",
  ]);
});

it("writes times on the clock of 24 hours where the half is known", () => {
  expect(all({ type: "time", hour: 2, minute: 30, half: "pm" })).toEqual(["14 h 30", "14:30 Uhr", "14:30"]);
  expect(all({ type: "time", hour: 12, minute: 5, half: "am" })).toEqual(["0 h 05", "0:05 Uhr", "0:05"]);
  expect(all({ type: "time", hour: 12, half: "pm" })).toEqual(["12 h", "12 Uhr", "12:00"]);
  expect(all({ type: "time", hour: 7, minute: 0 })).toEqual(["7 h", "7:00 Uhr", "7:00"]);
});

it("writes dates, and calls a town as the language does", () => {
  expect(all({ type: "date", day: 1, month: 3, year: 2026, weekday: 6 })).toEqual([
    "dimanche 1er mars 2026",
    "Sonntag, 1. März 2026",
    "domingo 1 de marzo de 2026",
  ]);
  expect(all({ type: "date", day: 5, month: 12, year: 2026, figures: true })).toEqual([
    "05/12/2026",
    "05.12.2026",
    "05/12/2026",
  ]);
  expect(all({ type: "text", text: "Vienna" })).toEqual(["Vienne", "Wien", "Viena"]);
  expect(all({ type: "text", text: "Priya" })).toEqual(["Priya", "Priya", "Priya"]);
});
