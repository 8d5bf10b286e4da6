import { expect, it } from "vitest";
import { findNumberWords, ordinalValue } from "../../../../src/tasks/translation/text/number-words.ts";

const values = (text: string, language: "en" | "fr" | "de" | "es") =>
  findNumberWords(text, language).map(({ start, end, value }) => [text.slice(start, end), value]);

it("finds the longest number in words, and never one", () => {
  expect(values("I have twenty-one cats, two hundred and five dogs and one bird.", "en")).toEqual([
    ["twenty-one", 21],
    ["two hundred and five", 205],
  ]);
  expect(values("quatre-vingt-dix-sept, soixante et onze, deux mille, une", "fr")).toEqual([
    ["quatre-vingt-dix-sept", 97],
    ["soixante et onze", 71],
    ["deux mille", 2000],
  ]);
  expect(values("Zweihundertfünfzig und einundzwanzig, dreissig, eine", "de")).toEqual([
    ["Zweihundertfünfzig", 250],
    ["einundzwanzig", 21],
    ["dreissig", 30],
  ]);
  expect(values("treinta y dos, veintidós, quinientas, cien mil, una", "es")).toEqual([
    ["treinta y dos", 32],
    ["veintidós", 22],
    ["quinientas", 500],
    ["cien mil", 100_000],
  ]);
});

it("knows ordinals from the third on", () => {
  expect(
    ["third", "twelfth", "twenty-first", "thirtieth", "north"].map((word) => ordinalValue(word, "en")),
  ).toEqual([3, 12, 21, 30, undefined]);
  expect(["troisième", "neuvième", "vingtième"].map((word) => ordinalValue(word, "fr"))).toEqual([3, 9, 20]);
  expect(["dritten", "achter", "zwanzigste", "heute"].map((word) => ordinalValue(word, "de"))).toEqual([
    3,
    8,
    20,
    undefined,
  ]);
  expect(["tercera", "quinto", "casa"].map((word) => ordinalValue(word, "es"))).toEqual([3, 5, undefined]);
});
