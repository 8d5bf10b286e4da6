import { expect, test } from "vitest";
import { END, UNKNOWN } from "../../../../src/data/bpe.ts";
import { JointPieces } from "../../../../src/tasks/translation/multilingual/pieces.ts";
import { placeholder } from "../../../../src/tasks/translation/text/placeholders.ts";

const MAN = placeholder("man", 0);
const PRICE = placeholder("price", 3);
const SOURCES = [`${MAN} is tired.`, `${MAN} paid ${PRICE}.`, `${PRICE}`];
const TARGETS = [
  { to: "fr" as const, texts: [`${MAN} est fatigué.`, `${MAN} a payé ${PRICE}.`] },
  { to: "de" as const, texts: [`${MAN} ist müde.`, `${MAN} zahlte ${PRICE}.`] },
];
const pieces = JointPieces.learn(SOURCES, TARGETS, 60);

test("a placeholder is one piece whatever stands around it, and every text comes back", () => {
  for (const text of [`${MAN} est fatigué.`, `.${MAN}${PRICE}. ${MAN}.`, PRICE]) {
    const ids = pieces.encodeTarget(text);
    expect(ids.at(-1)).toBe(END);
    expect(ids.filter((id) => pieces.placeholders.has(id))).toHaveLength(
      [...text].filter((c) => c === MAN || c === PRICE).length,
    );
    expect(ids).not.toContain(UNKNOWN);
  }
  expect(pieces.bpe.decode(pieces.encodeTarget(`${MAN} a payé ${PRICE}.`))).toBe(`${MAN} a payé ${PRICE}.`);
});

test("a source begins with the tag of its language, which no text can hold", () => {
  const [french, german] = (["fr", "de"] as const).map((to) => pieces.encodeSource(`${MAN} is tired.`, to));
  expect(french!.ids.slice(1)).toEqual(german!.ids.slice(1));
  expect(french!.ids[0]).not.toBe(german!.ids[0]);
  expect(french!.pieces).toHaveLength(french!.ids.length);
  expect(french!.pieces[0]).toBe("");
});

test("outputs of a language hold all its targets and no whole word of another", () => {
  for (const { to, texts } of TARGETS) {
    const outputs = new Set(pieces.outputs(to));
    for (const text of texts) for (const id of pieces.encodeTarget(text)) expect(outputs.has(id)).toBe(true);
    for (const id of pieces.placeholders) expect(outputs.has(id)).toBe(true);
  }
  const word = pieces.bpe.id("▁ist");
  if (word !== undefined) expect([...pieces.outputs("fr")]).not.toContain(word);
  expect(pieces.outputs("fr").length).toBeLessThan(pieces.size);
});

test("pieces come back from JSON", () => {
  const read = JointPieces.fromJSON(JSON.parse(JSON.stringify(pieces.toJSON())));
  expect(read.encodeSource("paid", "de")).toEqual(pieces.encodeSource("paid", "de"));
  expect(read.languages).toEqual(["fr", "de"]);
  expect([...read.outputs("de")]).toEqual([...pieces.outputs("de")]);
});
