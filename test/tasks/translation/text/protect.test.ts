import { describe, expect, it } from "vitest";
import { describePlaceholders, placeholder } from "../../../../src/tasks/translation/text/placeholders.ts";
import { placeholderFaults, protect, restore } from "../../../../src/tasks/translation/text/protect.ts";

const shown = (text: string) => describePlaceholders(protect(text).text);

describe("protect", () => {
  it("writes one placeholder for each number, time, price, date, name and code", () => {
    expect(shown("Tom paid $20 at 7:30 p.m. on March 12, 2026.")).toBe(
      "⟨man1⟩ paid ⟨price1⟩ at ⟨time1⟩ on ⟨date1⟩.",
    );
    expect(shown("Mary's flight AF1234 to Boston is at gate B-12.")).toBe(
      "⟨woman1⟩'s flight ⟨code1⟩ to ⟨place1⟩ is at gate ⟨code2⟩.",
    );
    expect(shown("In 1995, 20% of 3 apples weighed 5 kg.")).toBe(
      "In ⟨year1⟩, ⟨measure1⟩ of ⟨number1⟩ apples weighed ⟨measure2⟩.",
    );
  });

  it("gives the same value the same placeholder, and says when slots run out", () => {
    expect(shown("Tom saw Tom and 3 or 3.")).toBe("⟨man1⟩ saw ⟨man1⟩ and ⟨number1⟩ or ⟨number1⟩.");
    const many = protect("It is 2, 3, 4, 5, 6, 7, 8 or 9.");
    expect(many.overflow).toBe(2);
    expect(describePlaceholders(many.text)).toContain("⟨number6⟩, 8 or 9.");
  });

  it("leaves what looks like a placeholder as it was typed, and holds private-use characters as codes", () => {
    const typed = `⟨name⟩ and ${placeholder("man", 0)} are here.`;
    const given = protect(typed);
    expect(given.spans.map(({ value }) => value)).toEqual(
      ["⟨", "⟩", placeholder("man", 0)].map((text) => ({ type: "text", text })),
    );
    expect(restore(given.text, given.spans, "fr").text).toBe(typed);
  });
});

describe("restore", () => {
  const roundTrip = (text: string, language: "fr" | "de" | "es") => {
    const given = protect(text);
    return restore(given.text, given.spans, language).text;
  };

  it("writes values as each language does", () => {
    const text = "It costs $1,234.56 at 2:30 p.m. on March 12, 2026, 20% off.";
    expect(roundTrip(text, "fr")).toBe("It costs 1 234,56 $ at 14 h 30 on 12 mars 2026, 20 % off.");
    expect(roundTrip(text, "de")).toBe("It costs 1.234,56 $ at 14:30 Uhr on 12. März 2026, 20 % off.");
    expect(roundTrip(text, "es")).toBe("It costs 1.234,56 $ at 14:30 on 12 de marzo de 2026, 20 % off.");
  });

  it("says where each value of the source stands in the translation, and what is missing or invented", () => {
    const given = protect("Anna has 12 cats.");
    const [anna, twelve] = given.spans.map((span) => span.placeholder);
    const { text, links, missing, invented } = restore(`Les ${twelve} chats de ${anna}.`, given.spans, "fr");
    expect(text).toBe("Les 12 chats d'Anna.");
    expect(links.map(({ source, target }) => [source, text.slice(...target)])).toEqual([
      [[9, 11], "12"],
      [[0, 4], "Anna"],
    ]);
    expect([missing, invented]).toEqual([[], 0]);
    const poor = restore(`Elle a ${placeholder("price", 4)} chats.`, given.spans, "fr");
    expect(poor.text).toBe("Elle a chats.");
    expect([poor.missing.length, poor.invented]).toEqual([2, 1]);
    expect(placeholderFaults(given.text, `${anna} a ${anna} chats`)).toBe(2);
  });
});
