import { expect, it } from "vitest";
import { exactMatch } from "../../../src/train/metrics/exact-match.ts";

const hypotheses = ["Oui.", "non", "Peut-être ?"];
const references = [["Ouais.", "Oui."], ["Non."], ["Peut-être ?"]];

it("counts a hypothesis that equals any of its references, character for character", () => {
  expect(exactMatch(hypotheses, references)).toBe(2 / 3);
});

it("compares after normalising both sides", () => {
  const normalize = (text: string) => text.toLowerCase().replace(/\W/g, "");
  expect(exactMatch(hypotheses, references, { normalize })).toBe(1);
});

it("refuses lists of unequal length", () => {
  expect(() => exactMatch(["a"], [])).toThrow(
    "exactMatch: 1 hypotheses need as many lists of references, got 0; pass one list of references for each hypothesis",
  );
});
