import { describe, expect, it } from "vitest";
import { readPairs } from "../../../../src/data/tsv.ts";
import { detectForeign } from "../../../../src/tasks/translation/text/detect-language.ts";
import { PROFILE } from "../../../../src/tasks/translation/text/language-profile.ts";
import { itWithData } from "../../../support/shared-data.ts";

describe("detectForeign", () => {
  it("names the language or script, and says nothing of English or of too little", () => {
    expect(detectForeign("Où est la gare, s'il vous plaît ?")).toEqual({ language: "fr", name: "French" });
    expect(detectForeign("Wo kann ich hier ein Taxi finden?")?.name).toBe("German");
    expect(detectForeign("¿Dónde puedo comprar un billete?")?.name).toBe("Spanish");
    expect(detectForeign("Где вокзал?")).toEqual({ language: "Cyrillic", name: "Cyrillic letters" });
    expect(detectForeign("駅はどこですか")?.name).toBe("Japanese letters");
    expect(detectForeign("asdkfj qwxz vbnmrt zxcvq")?.name).toBe("no language");
    for (const english of [
      "Where is the station?",
      "Tom",
      "OK",
      "12345",
      "😀",
      "",
      "I saw María García in Guadalajara.",
    ])
      expect(detectForeign(english), english).toBeUndefined();
  });

  it("has a profile of at most 20 kB", () => {
    expect(new TextEncoder().encode(PROFILE).length).toBeLessThan(20_000);
  });

  it("reads the beginning of a text of any length", () => {
    expect(detectForeign("Le chat et la souris. ".repeat(20_000))?.language).toBe("fr");
    expect(() => detectForeign("\ud800\udfff".repeat(1000))).not.toThrow();
  });

  for (const [language, least] of [["fr", 0.98], ["de", 0.97], ["es", 0.97]] as const) // biome-ignore format: one line
    itWithData(`tatoeba-en-${language}`)(
      `calls at most 0.5 % of 1,000 English sentences foreign and at least ${least * 100} % of their translations (${language})`,
      (folder) => {
        const rows = readPairs(`${folder}/valid.tsv.gz`);
        const unique = (side: "source" | "target") =>
          [...new Set(rows.map((row) => row[side]))].slice(0, 1000);
        const english = unique("source");
        expect(english).toHaveLength(1000);
        expect(english.filter(detectForeign).length).toBeLessThanOrEqual(5);
        const found = unique("target").filter((text) => detectForeign(text)?.language === language);
        expect(found.length / 1000).toBeGreaterThanOrEqual(least);
      },
    );
});
