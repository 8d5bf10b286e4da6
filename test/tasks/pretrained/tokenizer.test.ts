/** What is wrong in a tokenizer.json shows where the library meets it, at times only in a text. */
import { Tokenizer } from "@huggingface/tokenizers";
import { expect, test } from "vitest";
import { decodeIds, encodeText, readTokenizer } from "../../../src/tasks/pretrained/tokenizer.ts";

const split = (behavior: unknown) => ({
  version: "1.0",
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "Split", pattern: { String: " " }, behavior, invert: false },
  post_processor: null,
  decoder: null,
  model: { type: "WordLevel", vocab: { "[UNK]": 0, a: 1, b: 2 }, unk_token: "[UNK]" },
});
const read = (json: Record<string, unknown>) =>
  readTokenizer((name) => (name === "tokenizer.json" ? json : undefined), new Map());

test("a tokenizer that fails on a text gives one error, as one that cannot be made does", () => {
  const { tokenizer } = read(split(7));
  expect(() => encodeText(tokenizer!, "a b")).toThrow(
    "PretrainedModel: tokenizer.json must be one that is known, got this.config.behavior?.toLowerCase is not a function; give ids instead of text",
  );
  const { tokenizer: none, refusal } = read({ ...split("Removed"), model: { type: "Nonsense" } });
  expect(none).toBeUndefined();
  expect(refusal?.message).toMatch(
    /^PretrainedModel: tokenizer\.json must be one that is known, got .*; give ids instead of text$/,
  );
});

test("what the library makes of ids and texts is what it says", () => {
  const { tokenizer } = read({ ...split("Removed"), pre_tokenizer: { type: "Whitespace" } });
  expect(encodeText(tokenizer!, "b a")).toMatchObject({ ids: [2, 1], tokens: ["b", "a"] });
  expect(decodeIds(tokenizer!, [2, 1])).toBe("b a");
  const failing = Object.create(Tokenizer.prototype, {
    decode: {
      value: () => {
        throw new TypeError("no decoder");
      },
    },
  });
  expect(() => decodeIds(failing, [1])).toThrow(
    "PretrainedModel: tokenizer.json must be one that is known, got no decoder; give ids instead of text",
  );
});
