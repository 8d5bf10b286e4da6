import { expect, test } from "vitest";
import { isAtom, SmilesVocabulary, smilesTokens } from "../../../src/tasks/atom-mapping/tokens.ts";

test("a SMILES is cut into tokens that joined are the text again", () => {
  const text = "C[C@@H](Br)c1cc(/C=C\\Cl)c%12n1~[Na+].[O-]->[K+]>>[13CH3]*#N:$?@";
  const tokens = smilesTokens(text);
  expect(tokens.join("")).toBe(text);
  expect(tokens.slice(0, 5)).toEqual(["C", "[C@@H]", "(", "Br", ")"]);
  for (const token of ["Cl", "%12", "~", "[Na+]", ">", ">>", "[13CH3]"]) expect(tokens).toContain(token);
});

test("what stands for an atom begins with a letter or a bracket, or is a placeholder", () => {
  const tokens = smilesTokens("[1*]C*(=O)n1%10.[nH]>>Br-#~");
  expect(tokens.filter(isAtom)).toEqual(["[1*]", "C", "*", "O", "n", "[nH]", "Br"]);
});

test("a sign that is part of no token is named with its place, wherever it stands", () => {
  const refuses = (text: string, sign: string, place: number) =>
    expect(() => smilesTokens(text)).toThrow(
      "smilesTokens: a SMILES must be made of atoms, bonds, branches, rings and dots, " +
        `got "${sign}" as sign ${place}; write it without that sign`,
    );
  refuses("CC!O", "!", 3);
  refuses("{CC", "{", 1);
  refuses("CCé", "é", 3);
  refuses("C[", "[", 2);
});

test("a vocabulary reads what it lacks as unknown, and must have the tokens around a reaction", () => {
  const vocabulary = new SmilesVocabulary(["[CLS]", "[SEP]", "[UNK]", ">>", "C"]);
  expect(vocabulary.encode("CO>>C")).toEqual({
    tokens: ["[CLS]", "C", "O", ">>", "C", "[SEP]"],
    ids: [0, 4, 2, 3, 4, 1],
  });
  expect([vocabulary.has("C"), vocabulary.has("O")]).toEqual([true, false]);
  expect(() => new SmilesVocabulary(["[CLS]", "[SEP]", ">>"])).toThrow(
    "a vocabulary must have [CLS], [SEP], [UNK] and >>, got none of the name [UNK]",
  );
});
