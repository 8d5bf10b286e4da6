import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { expect, test } from "vitest";
import { ggufTokenizer } from "../../../src/tasks/pretrained/gguf-tokenizer.ts";

const folder = path.resolve(import.meta.dirname, "../../fixtures/tokenizers");

interface Fixture {
  metadata: Record<string, unknown>;
  cases: { text: string; ids: number[]; decoded: string }[];
}

const fixtureOf = (name: string) => JSON.parse(readFileSync(path.join(folder, name), "utf8")) as Fixture;
const metadataOf = (name: string, changes: Record<string, unknown> = {}) =>
  new Map(Object.entries({ ...fixtureOf(name).metadata, ...changes }));

function tokenizerOf(metadata: ReadonlyMap<string, unknown>): Tokenizer {
  const { tokenizer, config } = ggufTokenizer(metadata)!;
  return new Tokenizer(tokenizer as never, config as never);
}

for (const name of readdirSync(folder)) {
  test(`the tokenizer of ${name} reads and writes as the library that it comes from`, () => {
    const tokenizer = tokenizerOf(metadataOf(name));
    const { cases } = fixtureOf(name);
    expect(cases.length).toBeGreaterThan(6);
    for (const { text, ids, decoded } of cases) {
      const read = tokenizer.encode(text).ids;
      expect([text, read]).toEqual([text, ids]);
      const bare = tokenizer.encode(text, { add_special_tokens: false }).ids;
      expect(tokenizer.decode(bare)).toBe(decoded);
    }
  });
}

test("the tokens that begin and end a text are added where the file says so", () => {
  const text = "The sun";
  const [bos, eos] = [0, 1];
  const plain = tokenizerOf(metadataOf("gpt-2.json")).encode(text).ids;
  const flags = { "tokenizer.ggml.add_bos_token": true, "tokenizer.ggml.add_eos_token": true };
  expect(tokenizerOf(metadataOf("gpt-2.json", flags)).encode(text).ids).toEqual([bos, ...plain, eos]);
  const without = { "tokenizer.ggml.add_bos_token": false };
  const llama = tokenizerOf(metadataOf("sentence-piece.json", without)).encode(text).ids;
  expect([1, ...llama]).toEqual(tokenizerOf(metadataOf("sentence-piece.json")).encode(text).ids);
});

test("a tokenizer of another kind is refused by its name, a file without one has none", () => {
  const refused = (name: string, changes: Record<string, unknown>) => () =>
    ggufTokenizer(metadataOf(name, changes));
  expect(ggufTokenizer(new Map())).toBeUndefined();
  expect(refused("gpt-2.json", { "tokenizer.ggml.model": "t5" })).toThrow(
    'GGUF tokenizer: tokenizer.ggml.model must be gpt2 or llama, got "t5"; give ids instead of text',
  );
  for (const [pre, got] of [
    ["tekken", '"tekken"'],
    ["__proto__", '"__proto__"'],
    [undefined, "none"],
  ])
    expect(refused("gpt-2.json", { "tokenizer.ggml.pre": pre })).toThrow(`deepseek-r1-qwen, got ${got};`);
});

test("metadata that contradict one another are refused by the entry", () => {
  const refused = (name: string, changes: Record<string, unknown>, message: string) =>
    expect(() => ggufTokenizer(metadataOf(name, changes))).toThrow(message);
  refused("gpt-2.json", { "tokenizer.ggml.tokens": 7 }, "tokens must be a list, got number");
  refused("gpt-2.json", { "tokenizer.ggml.tokens": ["a", 3] }, "tokens must be texts, got number");
  refused(
    "gpt-2.json",
    { "tokenizer.ggml.token_type": [1] },
    "token_type must have the 400 entries of tokens",
  );
  refused(
    "gpt-2.json",
    { "tokenizer.ggml.merges": ["abc"] },
    "merges must be pairs with a space between, got abc",
  );
  refused(
    "gpt-2.json",
    { "tokenizer.ggml.add_bos_token": true, "tokenizer.ggml.bos_token_id": 400 },
    "bos_token_id must be one of the 400 tokens, got 400",
  );
  refused(
    "gpt-2.json",
    { "tokenizer.ggml.add_bos_token": "yes" },
    "add_bos_token must be true or false, got yes",
  );
  refused(
    "sentence-piece.json",
    { "tokenizer.ggml.scores": [0] },
    "scores must have the 480 entries of tokens",
  );
  const long = [...(fixtureOf("sentence-piece.json").metadata["tokenizer.ggml.tokens"] as string[])];
  long[long.length - 1] = "a".repeat(600);
  refused("sentence-piece.json", { "tokenizer.ggml.tokens": long }, "at most 512 characters, got 600");
});
