import { readFileSync } from "node:fs";
import path from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { expect, test } from "vitest";
import { ggufTokenizer } from "../../../src/tasks/pretrained/gguf-tokenizer.ts";
import { TextStream } from "../../../src/tasks/pretrained/text-stream.ts";

function tokenizerOf(name: string): Tokenizer {
  const file = path.resolve(import.meta.dirname, `../../fixtures/tokenizers/${name}.json`);
  const { metadata } = JSON.parse(readFileSync(file, "utf8"));
  const { tokenizer, config } = ggufTokenizer(new Map(Object.entries(metadata)))!;
  return new Tokenizer(tokenizer as never, config as never);
}

const TEXT = " naïve 🙂🙂 Ω≈ç and  日本語, then some more.";

for (const name of ["gpt-2", "sentence-piece", "sentence-piece-bare"]) {
  test(`a text comes in whole characters and complete, with the tokenizer ${name}`, () => {
    const tokenizer = tokenizerOf(name);
    const prompt: number[] = tokenizer.encode("The sun").ids;
    const all: number[] = tokenizer.encode(`The sun${TEXT}`).ids;
    const stream = new TextStream(tokenizer, prompt);
    const parts = all.slice(prompt.length).map((id) => stream.push(id));
    expect(parts.filter((part) => part.includes("\ufffd"))).toEqual([]);
    // Bytes of one character come one by one.
    expect(parts.filter((part) => part === "").length).toBeGreaterThan(8);
    expect(parts.join("") + stream.end()).toBe(TEXT);
  });
}

test("a character that stays cut off is given at the end", () => {
  const tokenizer = tokenizerOf("gpt-2");
  const [first, second] = tokenizer.encode("🙂").ids;
  const stream = new TextStream(tokenizer, []);
  expect([stream.push(first!), stream.push(second!), stream.end(), stream.end()]).toEqual([
    ...["", "", "\ufffd", ""],
  ]);
});

test("special tokens have no text", () => {
  const tokenizer = tokenizerOf("gpt-2");
  const [x] = tokenizer.encode("x").ids;
  const stream = new TextStream(tokenizer, [1]);
  expect([x!, 1, x!].map((id) => stream.push(id))).toEqual(["x", "", "x"]);
});

test("a stop ends the text before it, even across tokens, and what only begins like one comes out", () => {
  const spell = { decode: (ids: number[] | bigint[]) => String.fromCharCode(...(ids as number[])) };
  const run = (text: string, ...stops: string[]) => {
    const stream = new TextStream(spell, [], stops);
    const parts = Array.from(text, (letter) => stream.push(letter.charCodeAt(0)));
    return { parts, end: stream.end(), isEnded: stream.isEnded };
  };
  expect(run("ab##cd", "##c", "zz")).toEqual({ parts: ["a", "b", "", "", "", ""], end: "", isEnded: true });
  expect(run("a#b##", "##c").parts).toEqual(["a", "", "#b", "", ""]);
  expect(run("a#b##", "##c").end).toBe("##");
  expect(run("aab", "ab").parts).toEqual(["", "a", ""]);
});
