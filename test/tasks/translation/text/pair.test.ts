import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../../src/core/random.ts";
import type { TargetLanguage } from "../../../../src/tasks/translation/text/language.ts";
import { protectPair } from "../../../../src/tasks/translation/text/pair.ts";
import { describePlaceholders } from "../../../../src/tasks/translation/text/placeholders.ts";

const pair = (source: string, target: string, language: TargetLanguage, words = false) => {
  const made = protectPair(source, target, language, { words });
  return [describePlaceholders(made.source), describePlaceholders(made.target), made.unmatched.length];
};

describe("protectPair", () => {
  it("pairs the same number, time and name however each language writes it", () => {
    const source = "Tom left at 2:30 with 1,000 books.";
    const both = "⟨man1⟩ left at ⟨time1⟩ with ⟨number1⟩ books.";
    expect(pair(source, "Tom est parti à 14 h 30 avec 1 000 livres.", "fr")).toEqual([
      both,
      "⟨man1⟩ est parti à ⟨time1⟩ avec ⟨number1⟩ livres.",
      0,
    ]);
    expect(pair(source, "Tom ging um halb drei mit 1.000 Büchern.", "de")).toEqual([
      both,
      "⟨man1⟩ ging um ⟨time1⟩ mit ⟨number1⟩ Büchern.",
      0,
    ]);
    expect(pair(source, "Tom se fue a las dos y media con mil libros.", "es")).toEqual([
      both,
      "⟨man1⟩ se fue a las ⟨time1⟩ con ⟨number1⟩ libros.",
      0,
    ]);
  });

  it("leaves what has no partner on both sides", () => {
    expect(pair("I have 2 cats and 2 dogs.", "J'ai 2 chats et des chiens.", "fr")).toEqual([
      "I have 2 cats and 2 dogs.",
      "J'ai 2 chats et des chiens.",
      2,
    ]);
    expect(pair("Call 911.", "Appelez le 112.", "fr")).toEqual(["Call 911.", "Appelez le 112.", 1]);
  });

  it("pairs numbers in words only when asked", () => {
    const [source, target] = ["I have three cats.", "J'ai trois chats."];
    expect(pair(source, target, "fr")).toEqual([source, target, 0]);
    expect(pair(source, target, "fr", true)).toEqual(["I have ⟨number1⟩ cats.", "J'ai ⟨number1⟩ chats.", 0]);
  });

  it("undoes what a value does to the words beside it", () => {
    expect(pair("Anna's cat", "le chat d'Anna", "fr")[1]).toBe("le chat de ⟨woman1⟩");
    expect(pair("Tom's cat", "Toms Katze", "de")[1]).toBe("⟨man1⟩s Katze");
    expect(pair("Tom and Isabel", "Tom e Isabel", "es")[1]).toBe("⟨man1⟩ y ⟨woman1⟩");
  });

  it("takes slots and plain names at random when it is given random numbers, the same with the same", () => {
    const made = (seed: number) =>
      protectPair("Tom has 12 cats.", "Tom a 12 chats.", "fr", { random: new RandomStream(seed), blur: 0.5 });
    const kinds = new Set(Array.from({ length: 40 }, (_, seed) => made(seed).values[0]!.kind));
    expect([...kinds].sort()).toEqual(["man", "name"]);
    const slots = new Set(Array.from({ length: 60 }, (_, seed) => made(seed).values[1]!.placeholder));
    expect(slots.size).toBe(6);
    expect(made(7)).toEqual(made(7));
  });
});
