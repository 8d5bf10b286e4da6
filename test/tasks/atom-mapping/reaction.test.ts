import { expect, test } from "vitest";
import { modelText, parseReaction, writeReaction } from "../../../src/tasks/atom-mapping/reaction.ts";

test("agents join the reactants, a dative bond is no arrow, and a name behind the reaction is left out", () => {
  expect(parseReaction("CC.O>[Pd].CO>CCO")).toEqual({
    precursors: ["CC", "O", "[Pd]", "CO"],
    products: ["CCO"],
    format: "plain",
  });
  expect(parseReaction(" C[O-]->[K+]>>CO number 7").precursors).toEqual(["C[O-]->[K+]"]);
});

test("fragments of a compound are told in two ways, each of which writes what it reads", () => {
  const tilde = parseReaction("BrCC.CC[O-]~[Na+]>>CCOCC.[Br-]~[Na+]");
  expect(tilde.precursors).toEqual(["BrCC", "CC[O-].[Na+]"]);
  const extended = parseReaction("CC[O-].[Na+].BrCC>>[Na+].CCOCC.[Br-] |f:0.1,3.5|");
  expect(extended.precursors).toEqual(tilde.precursors);
  // Fragments that belong together come last, in the order of their group.
  expect(extended.products).toEqual(["CCOCC", "[Na+].[Br-]"]);
  expect(writeReaction(tilde)).toBe("BrCC.CC[O-]~[Na+]>>CCOCC.[Br-]~[Na+]");
  expect(writeReaction(extended)).toBe("BrCC.CC[O-].[Na+]>>CCOCC.[Na+].[Br-] |f:1.2,4.5|");
  expect(modelText(extended)).toBe("BrCC.CC[O-]~[Na+]>>CCOCC.[Na+]~[Br-]");
  expect(writeReaction(parseReaction("C.O>>CO |f:7.8|"))).toBe("C.O>>CO");
});

test("what is no reaction is refused with what it is", () => {
  const refuses = (text: string, got: string) =>
    expect(() => parseReaction(text)).toThrow(`parseReaction: a reaction must ${got}`);
  refuses("", "be reactants>>products, got an empty line; write one reaction a line");
  refuses("  \t", "be reactants>>products, got an empty line");
  const shape = "be reactants>>products or reactants>agents>products, got ";
  refuses("CCO", `${shape}"CCO"; put >> between reactants and products`);
  refuses("C>O", `${shape}"C>O"`);
  refuses("C>>O>>N", `${shape}"C>>O>>N"`);
  refuses("CC C>>O", `${shape}"CC"`);
  refuses(">>O", 'have reactants, got ">>O"; write both sides');
  refuses("C>>.", 'have products, got "C>>."');
  refuses("C.O>>CO |f:1.2|", "have the fragments of a group on one side, got the group 1.2");
  refuses(`${"C".repeat(500)}>O`, `${shape}"${"C".repeat(80)}…"`);
});
