import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { fixture } from "../models/transformer/fixture.ts";
import { modelFolder } from "../tasks/pretrained/fixture.ts";
import { fakeIo } from "./fake-io.ts";

const folders: Record<string, string> = {};
beforeAll(() => {
  for (const name of ["gpt2", "llama", "t5", "marian", "bert"]) folders[name] = modelFolder(name, []);
  // Thirteen pieces: two special ones, letters, a word.
  const pieces = ["<|begin|>", "<|end|>", ..."abcdefghij", "ab"];
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const added_tokens = pieces.slice(0, 2).map((content, id) => ({ id, content, special: true }));
  const tokenizer = {
    ...{ version: "1.0", added_tokens, normalizer: null, post_processor: null },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: ["a b"] },
  };
  writeFileSync(path.join(folders.llama!, "tokenizer.json"), JSON.stringify(tokenizer));
  writeFileSync(path.join(folders.llama!, "generation_config.json"), '{"eos_token_id": []}');
});
afterAll(() => {
  for (const folder of Object.values(folders)) rmSync(path.dirname(folder), { recursive: true });
});

async function generate(...args: string[]) {
  const io = fakeIo();
  const code = await run(["generate", ...args], io);
  return { code, out: io.out(), err: io.err() };
}

/** The first example's tokens and transformers' logits after the last of them. */
function reference(name: string, tokens: string) {
  const { inputs, outputs } = fixture(name);
  const [, T] = inputs[tokens]!.shape as [number, number];
  const [, rows, V] = outputs.logits!.shape as [number, number, number];
  return {
    ids: inputs[tokens]!.values.slice(0, T),
    logits: outputs.logits!.values.slice((rows - 1) * V, rows * V),
    first: outputs.logits!.values.slice(0, V),
  };
}

const best = (logits: number[]) => logits.indexOf(Math.max(...logits));

test.each(["gpt2", "llama"])(
  "heed generate --ids --json has transformers' largest logits: %s",
  async (name) => {
    const { ids, logits } = reference(name, "tokens");
    const { code, out } = await generate(folders[name]!, "--ids", ids.join(), "--json", "--max-tokens", "3");
    expect(code).toBe(0);
    const given = JSON.parse(out);
    expect(Object.keys(given)).toEqual(["prompt", "ids", "text", "top"]);
    expect(given.prompt).toEqual(ids);
    expect(given.top).toHaveLength(10);
    for (const [id, logit] of given.top) expect(Math.abs(logit - logits[id]!)).toBeLessThan(1e-4);
    expect(given.top[0][0]).toBe(best(logits));
    expect(given.ids[0]).toBe(best(logits));
    const sorted = given.top.map(([, logit]: [number, number]) => logit);
    expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
  },
);

test.each(["t5", "marian"])(
  "the prompt of %s goes to the encoder, the text begins with its start token",
  async (name) => {
    const { inputs } = fixture(name);
    const { ids, first } = reference(name, "targets");
    const [, S] = inputs.tokens!.shape as [number, number];
    const source = inputs.tokens!.values.slice(0, S);
    // Of the reference the first target is what a decoder begins with.
    const config = {
      ...fixture(name).config,
      decoder_start_token_id: ids[0],
      eos_token_id: [],
      num_beams: 4,
    };
    writeFileSync(path.join(folders[name]!, "generation_config.json"), JSON.stringify(config));
    const { out, err } = await generate(
      folders[name]!,
      "--ids",
      source.join(),
      "--json",
      "--max-tokens",
      "4",
    );
    expect(err).toContain("the model's settings ask for num_beams=4, which is not done");
    const given = JSON.parse(out);
    for (const [id, logit] of given.top) expect(Math.abs(logit - first[id]!)).toBeLessThan(1e-4);
    expect([given.ids.length, given.ids[0], given.text]).toEqual([4, best(first), null]);
  },
);

test("a text is written as it comes, ids where there is no tokenizer; the same seed draws the same", async () => {
  const { ids } = reference("gpt2", "tokens");
  const plain = await generate(folders.gpt2!, "--ids", ids.join(), "--max-tokens", "4");
  expect(plain.out).toMatch(/^\d+(,\d+){3}\n$/);
  const drawn = (...flags: string[]) =>
    generate(folders.llama!, "abcab", "--temperature", "3", "--max-tokens", "20", ...flags);
  const [one, same, other] = [
    await drawn("--seed", "1"),
    await drawn("--seed", "1"),
    await drawn("--seed", "2"),
  ];
  expect(one.out).toMatch(/^[a-j]+\n$/);
  expect(same.out).toBe(one.out);
  expect(other.out).not.toBe(one.out);
  const { text, ids: written } = JSON.parse((await drawn("--seed", "1", "--json")).out);
  expect(`${text}\n`).toBe(one.out);
  expect(written.length).toBeLessThanOrEqual(20);
  const stop = one.out.slice(3, 5);
  const stopped = await drawn("--seed", "1", "--stop", stop, "--stop", "never");
  expect(stopped.out).toBe(`${one.out.slice(0, one.out.indexOf(stop))}\n`);
});

test("the model's settings end and draw, and flags go before them", async () => {
  const { ids } = reference("gpt2", "tokens");
  const file = path.join(folders.gpt2!, "generation_config.json");
  const given = async (settings: object, ...flags: string[]) => {
    writeFileSync(file, JSON.stringify(settings));
    const { out } = await generate(folders.gpt2!, "--ids", ids.join(), "--json", ...flags);
    return JSON.parse(out).ids as number[];
  };
  const greedy = await given({ max_new_tokens: 5 });
  expect(greedy).toHaveLength(5);
  expect(await given({ max_length: ids.length + 2 })).toEqual(greedy.slice(0, 2));
  expect(await given({ max_new_tokens: 5, eos_token_id: [12, greedy[0]] })).toEqual([]);
  const hot = { do_sample: true, temperature: 50, top_k: 0 };
  expect(await given(hot, "--max-tokens", "5", "--seed", "3")).not.toEqual(greedy);
  expect(await given(hot, "--max-tokens", "5", "--temperature", "0")).toEqual(greedy);
  expect(await given(hot, "--max-tokens", "5", "--top-k", "1")).toEqual(greedy);
  // Eleven positions: the tokens after the prompt, and one that is never read.
  expect(await given({})).toHaveLength(11 - ids.length + 1);
  rmSync(file);
});

test("Ctrl-C stops with what there is", async () => {
  const io = fakeIo();
  const write = io.stdout.write.bind(io.stdout);
  let count = 0;
  io.stdout.write = (text) => {
    if (++count === 2) process.emit("SIGINT");
    return write(text);
  };
  // A browser that tests before this one opened listens too, and would end the process.
  const others = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT");
  try {
    const code = await run(["generate", folders.gpt2!, "--ids", "1,2", "--max-tokens", "9"], io);
    expect(code).toBe(130);
    expect(io.out()).toMatch(/^\d+,\d+\n$/);
    expect(process.listenerCount("SIGINT")).toBe(0);
  } finally {
    for (const listener of others) process.on("SIGINT", listener);
  }
});

test("what is wrong is said in one line, before anything is written", async () => {
  const refuses = async (message: string, ...args: string[]) => {
    const { code, out, err } = await generate(...args);
    expect([message, code, out]).toEqual([message, 2, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain("\n");
  };
  const { gpt2, llama, bert, t5 } = folders as Record<string, string>;
  await refuses("there must be a prompt, or --ids instead, got none", llama!);
  await refuses("there must be a prompt, or --ids instead, got both", llama!, "--ids", "1", "a");
  await refuses("--ids must be whole numbers between commas", gpt2!, "--ids", "1;2");
  await refuses("--temperature must be a number from 0 to 1000", gpt2!, "--temperature", "warm", "a");
  await refuses("--max-tokens must be a whole number from 1", gpt2!, "--max-tokens", "0", "a");
  await refuses("topP must be above 0 and at most 1, got 0", gpt2!, "--ids", "1", "--top-p", "0");
  await refuses("reading text needs tokenizer.json, got none in the folder", gpt2!, "a");
  await refuses("an id must be an integer from 0 to 12, got 13", gpt2!, "--ids", "1,13");
  await refuses("got an encoder alone, which writes nothing", bert!, "--ids", "1");
  await refuses(
    "leaves room for 9 more in this model, got 10",
    gpt2!,
    "--ids",
    "1,2,3",
    "--max-tokens",
    "10",
  );
  const { decoder_start_token_id: _, ...config } = fixture("t5").config;
  writeFileSync(path.join(t5!, "generation_config.json"), "{}");
  writeFileSync(path.join(t5!, "config.json"), JSON.stringify(config));
  await refuses("must have decoder_start_token_id in its settings, got none", t5!, "--ids", "1");
  writeFileSync(path.join(gpt2!, "generation_config.json"), '{"eos_token_id": "end"}');
  await refuses("eos_token_id must be a token's id", gpt2!, "--ids", "1");
  rmSync(path.join(gpt2!, "generation_config.json"));
  writeFileSync(path.join(gpt2!, "tokenizer.json"), '{"model": {"type": "Other"}}');
  await refuses("tokenizer.json must be one that is known", gpt2!, "a");
  expect((await generate(gpt2!, "--ids", "1", "--max-tokens", "1", "--json")).code).toBe(0);
});
