import { describe, expect, it } from "vitest";
import { setEmojiAside } from "../../../../src/tasks/translation/text/emoji.ts";
import { closeSentence, likeEnding, likeStart } from "../../../../src/tasks/translation/text/endings.ts";

describe("setEmojiAside", () => {
  it("keeps pictures before the first word at their place and puts the others at the end", () => {
    expect(setEmojiAside("👋 Hello!")).toEqual({ text: "Hello!", before: "👋 ", after: "" });
    expect(setEmojiAside("I love it 😍😍!")).toEqual({ text: "I love it!", before: "", after: " 😍😍" });
    expect(setEmojiAside("A 👨‍👩‍👧 and 🇫🇷 here :-)")).toEqual({
      text: "A and here",
      before: "",
      after: " 👨‍👩‍👧 🇫🇷 :-)",
    });
    expect(setEmojiAside("👍🏽")).toEqual({ text: "", before: "👍🏽", after: "" });
  });

  it("leaves figures, signs and marks alone", () => {
    for (const text of ["Call 112 #now * ©", "1 : 2", "note: (see)", "a<3b", "½ ™"])
      expect(setEmojiAside(text)).toEqual({ text, before: "", after: "" });
  });
});

describe("closeSentence", () => {
  it("gives a model one mark and keeps what was typed", () => {
    expect(closeSentence("Stop!!!")).toEqual({ text: "Stop!", typed: "!!!" });
    expect(closeSentence('He said "Why?!"')).toEqual({ text: 'He said "Why?"', typed: "?!" });
    expect(closeSentence("where is it")).toEqual({ text: "where is it?", typed: "" });
    expect(closeSentence("What a day")).toEqual({ text: "What a day.", typed: "" });
    expect(closeSentence("Wait...")).toEqual({ text: "Wait.", typed: "..." });
    expect(closeSentence("First:")).toEqual({ text: "First:", typed: "" });
  });
});

describe("likeEnding", () => {
  it("ends a translation as its source did, in the language's way", () => {
    expect(likeEnding("Arrête !", "!!!", "fr")).toBe("Arrête !!!");
    expect(likeEnding("Hör auf!", "!!!!!", "de")).toBe("Hör auf!!!");
    expect(likeEnding("Para!", "!!", "es")).toBe("¡Para!!");
    expect(likeEnding("Je suis fatigué.", "", "fr")).toBe("Je suis fatigué");
    expect(likeEnding("Où est la gare ?", "", "fr")).toBe("Où est la gare ?");
    expect(likeEnding("Attends.", "...", "fr")).toBe("Attends...");
    expect(likeEnding("Attends", ".", "fr")).toBe("Attends.");
  });

  it("spaces French marks and opens Spanish ones", () => {
    expect(likeEnding("Quoi? Non! Ainsi: oui; « oui?»", ".", "fr")).toBe(
      "Quoi ? Non ! Ainsi : oui ; « oui ?»",
    );
    expect(likeEnding("Dónde está?", "?", "es")).toBe("¿Dónde está?");
    expect(likeEnding("Hola. Cómo estás?", "?", "es")).toBe("Hola. ¿Cómo estás?");
    expect(likeEnding("¿Dónde está?", "?", "es")).toBe("¿Dónde está?");
  });
});

it("likeStart begins as the source does, and leaves a placeholder alone", () => {
  expect(likeStart("Where?", "où ?")).toBe("Où ?");
  expect(likeStart("where?", "où ?")).toBe("où ?");
  expect(likeStart("Where?", "\ue000 est")).toBe("\ue000 est");
});
