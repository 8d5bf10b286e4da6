import { expect, test } from "vitest";
import { generationSettings } from "../../../src/tasks/pretrained/generation-settings.ts";

test("without do_sample the likeliest token is taken, whatever stands there of temperatures", () => {
  const { sampling, stop, ignored } = generationSettings({ temperature: 0.7, top_k: 5, top_p: 0.5 });
  expect(sampling).toEqual({ repetitionPenalty: 1, never: [] });
  expect([stop, ignored]).toEqual([[], []]);
});

test("sampling has transformers' values where the file says nothing, and all tokens for a top_k of 0", () => {
  expect(generationSettings({ do_sample: true }).sampling).toMatchObject({
    temperature: 1,
    topK: 50,
    topP: 1,
  });
  const { sampling } = generationSettings({ do_sample: true, top_k: 0, top_p: 0.8, repetition_penalty: 1.1 });
  expect(sampling).toEqual({ temperature: 1, topP: 0.8, repetitionPenalty: 1.1, never: [] });
});

test("what config.json says counts where generation_config.json does not, and GGUF's end tokens are added", () => {
  const config = { eos_token_id: 1, decoder_start_token_id: 0, max_length: 20, num_beams: 4 };
  expect(generationSettings({ eos_token_id: [3, 4], max_new_tokens: 7, num_beams: 1 }, config)).toEqual({
    sampling: { repetitionPenalty: 1, never: [] },
    stop: [3, 4],
    start: 0,
    maxTokens: 7,
    maxLength: 20,
    ignored: [],
  });
  const metadata = new Map<string, unknown>([
    ["tokenizer.ggml.eos_token_id", 2],
    ["tokenizer.ggml.eot_token_id", 9],
  ]);
  expect(generationSettings({}, {}, metadata).stop).toEqual([2, 9]);
});

test("words of one token are never written, and what is not done is named", () => {
  const { sampling, ignored } = generationSettings({
    bad_words_ids: [[5], [6]],
    suppress_tokens: [8],
    num_beams: 6,
    no_repeat_ngram_size: 3,
    min_length: null,
  });
  expect(sampling.never).toEqual([5, 6, 8]);
  expect(ignored).toEqual(["num_beams=6", "no_repeat_ngram_size=3"]);
});

test("entries that are none of their kind are refused by name", () => {
  const refused = (entries: Record<string, unknown>, message: string) =>
    expect(() => generationSettings(entries)).toThrow(`generation_config.json: ${message}`);
  refused({ eos_token_id: "2" }, 'eos_token_id must be a token\'s id, or a list of ids, got "2"');
  refused({ bad_words_ids: [[5, 6]] }, "bad_words_ids must be a token's id, or a list of ids, got [[5,6]]");
  refused({ do_sample: 1 }, "do_sample must be true or false, got 1");
  refused({ max_length: 0 }, "max_length must be a whole number from 1, got 0");
  refused({ do_sample: true, temperature: "hot" }, 'temperature must be a number, got "hot"');
});
