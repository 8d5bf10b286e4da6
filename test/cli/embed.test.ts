import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { cosine } from "../../src/tasks/pretrained/pooling.ts";
import { modelFolder, sentenceFixture, sentenceFolder } from "../tasks/pretrained/fixture.ts";
import { fakeIo } from "./fake-io.ts";

let folder: string;
beforeAll(() => {
  folder = sentenceFolder("mean");
});
afterAll(() => rmSync(path.dirname(folder), { recursive: true }));

async function embed(args: string[], settings: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo(settings);
  const code = await run(["embed", ...args], io);
  return { code, out: io.out(), err: io.err() };
}
const objects = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("--json gives text, ids and embedding of each argument, as sentence-transformers computes them", async () => {
  const { texts } = sentenceFixture("mean");
  const { code, out, err } = await embed([folder, "--json", ...texts.map(({ text }) => text)]);
  const found = objects(out);
  expect(found.map(({ text, ids }) => ({ text, ids }))).toEqual(
    texts.map(({ text, ids }) => ({ text, ids })),
  );
  for (const [n, { embedding }] of texts.entries())
    expect(cosine(found[n].embedding, embedding)).toBeGreaterThan(0.999999);
  expect([code, err]).toEqual([
    0,
    "heed embed: text 1 is too long: the last 1 of its tokens were left out\n" +
      "heed embed: text 4 is too long: the last 13 of its tokens were left out\n",
  ]);
  expect(found.map(({ cut }) => cut)).toEqual([1, undefined, undefined, 13, undefined, undefined]);
});

test("standard input is read line by line; empty and broken lines are answered like the others", async () => {
  const input = ["the cat\n\nthe ", Uint8Array.of(0xff), " dog\r\nthe cat"];
  const { code, out, err } = await embed([folder, "--json"], { input });
  const found = objects(out);
  expect(found.map(({ text }) => text)).toEqual(["the cat", "", "the \ufffd dog", "the cat"]);
  expect(found[1].ids).toEqual([2, 3]);
  expect(found[3]).toEqual(found[0]);
  expect([code, err]).toEqual([0, "heed embed: line 3 is not UTF-8; its broken bytes are read as U+FFFD\n"]);
});

test("a text without a token has no embedding, and does not stop the others", async () => {
  const bare = modelFolder("bert");
  const tokenizer = { ...(sentenceFixture("mean").files["tokenizer.json"] as object), post_processor: null };
  writeFileSync(path.join(bare, "tokenizer.json"), JSON.stringify(tokenizer));
  const { code, out, err } = await embed([bare, "--json", "the", "", "cat"]);
  expect(objects(out).map(({ ids, embedding }) => [ids, embedding?.length])).toEqual([
    [[4], 6],
    [[], undefined],
    [[5], 6],
  ]);
  expect(code).toBe(0);
  expect(err).toBe(
    "heed embed: text 2 was not embedded: PretrainedModel: a text must have a token, got none; give some text\n",
  );
  const table = await embed([bare, "the", "", "cat"]);
  expect(table.out.split("\n")[2]).toMatch(/^ 2 + – +– +–$/);
  rmSync(path.dirname(bare), { recursive: true });
});

test("without --json a table shows how much alike the texts are", async () => {
  const texts = ["the cat", "the dog", "the cat"];
  const { out, err } = await embed([folder, ...texts]);
  const rows = out.trimEnd().split("\n");
  expect(rows[0]).toMatch(/^ +1 +2 +3$/);
  const [first, second, third] = rows.slice(1).map((line) => line.trim().split(/ {2,}/));
  expect(first!.slice(0, 2)).toEqual(["1", "the cat"]);
  expect([first![2], first![4], second![3]]).toEqual(["1.00", "1.00", "1.00"]);
  expect(first![3]).toBe(third![3]);
  expect(Number(first![3])).toBeLessThan(1);
  expect(err).toBe("heed embed: mean pooling, brought to length 1; the model has modules.json\n");
});

test("many texts are shown with the nearest other one, one alone with its first numbers", async () => {
  const words = ["the", "cat", "sat", "on", "mat", "and", "dog"];
  const texts = words.flatMap((word) => [word, `${word} ${word}`]);
  const { out } = await embed([folder], { input: [`${[...texts, "the cat", "the cat"].join("\n")}\n`] });
  const rows = out.trimEnd().split("\n");
  expect(rows).toHaveLength(16);
  expect(rows[14]).toMatch(/^the cat +1\.00 {2}the cat$/);
  const alone = await embed([folder, "the cat", "--pooling", "cls", "--no-normalize"]);
  expect(alone.out).toMatch(/^the cat\n {2}6 numbers of length \d\.\d{4}:( -?\d\.\d{4}){6} …\n$/);
  expect(alone.err).toContain("cls pooling, of any length");
  expect(await embed([folder], { input: [] })).toMatchObject({ code: 0, out: "" });
});

test("what is wrong is said in one line, before anything is written", async () => {
  const refuses = async (message: string, args: string[], settings = {}) => {
    const { code, out, err } = await embed(args, settings);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain("\n");
  };
  await refuses("a model must be a folder, or a file of weights, got no such file for no-such", [
    "no-such",
    "x",
  ]);
  await refuses(
    '--pooling must be one of cls, max, mean, mean_sqrt_len, weightedmean, lasttoken, got "sum"',
    [folder, "--pooling", "sum"],
  );
  const without = modelFolder("bert", []);
  await refuses("reading text needs tokenizer.json, got none in the folder", [without, "the"]);
  rmSync(path.dirname(without), { recursive: true });
  const lines = "cat\n".repeat(1001);
  await refuses("at most 1000 texts can be compared with one another, got more; give --json", [folder], {
    input: [lines],
  });
});

test("the help says how embeddings are made where the model does not", async () => {
  const { code, out } = await embed(["--help"]);
  expect(code).toBe(0);
  expect(out).toContain("Without modules.json the mean is taken and brought to length 1");
  expect(out).toContain("--no-normalize");
});
