import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { importTrace } from "../../src/inspect/index.ts";
import { fakeIo } from "./fake-io.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-summarize-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function heed(args: string[], options: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo(options);
  const code = await run(args, io);
  return { code, out: io.out(), err: io.err() };
}
const summarize = (args: string[], options = {}) => heed(["summarize", ...args], options);

const TEXT =
  "We present Zorbanet, a neural network for machine translation. Zorbanet learns from raw text, and needs no dictionary.";
const at = (name: string) => path.join(folder, name);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal is sent
const uncoloured = (text: string) => text.replace(/\u001b\[[\d;]*m/g, "");

test("a text gives one object with --json: each word with where it looked, p_gen and coverage", async () => {
  const { code, out, err } = await summarize(["--json", TEXT]);
  expect([code, err]).toEqual([0, ""]);
  const { source, target, sourceTokens, outside, targetTokens, weights, generate, coverage, repeated, cut } =
    JSON.parse(out);
  expect([source, cut]).toEqual([TEXT, 0]);
  expect(target.length).toBeGreaterThan(0);
  const [T, S] = [targetTokens.length, sourceTokens.length];
  expect([weights.length, generate.length, coverage.length, repeated.length]).toEqual([T, T, T, T]);
  expect(outside[sourceTokens.indexOf("Zorbanet")]).toBe(true);
  for (const row of weights) {
    expect(row).toHaveLength(S);
    expect(row.reduce((sum: number, a: number) => sum + a, 0)).toBeCloseTo(1, 4);
  }
  for (const share of [...generate, ...repeated]) expect(share >= 0 && share <= 1.0001).toBe(true);
});

test("lines are answered in their order; those without a word are named, and the others go on", async () => {
  const input = [`${[TEXT, "", "A small study of user interfaces.", "?!"].join("\n")}\n`];
  const { code, out, err } = await summarize(["--no-map"], { input });
  expect(code).toBe(2);
  const lines = out.split("\n");
  expect(lines).toHaveLength(5);
  expect(lines.map((line) => line !== "")).toEqual([true, false, true, false, false]);
  expect(err.trimEnd().split("\n")).toEqual([
    "heed summarize: line 2 has no word to sum up",
    "heed summarize: line 4 has no word to sum up",
    "heed summarize: 2 of 4 lines had no answer",
  ]);
  const json = await summarize(["--json", "", TEXT]);
  const [first, second] = json.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(first).toEqual({ source: "", target: null, error: "has no word to sum up" });
  expect(second.target).toBe(lines[0]);
  expect([json.code, json.err]).toEqual([
    2,
    "heed summarize: text 1 has no word to sum up\nheed summarize: 1 of 2 texts had no answer\n",
  ]);
  const alone = await summarize(["?!"]);
  expect([alone.code, alone.err]).toEqual([2, "heed summarize: text 1 has no word to sum up\n"]);
});

test("a terminal gets the map, then p_gen and coverage on the words; a pipe the numbers", async () => {
  const names = ["p_gen, 1 written and 0 copied:", "again, how much", "coverage, all looks"];
  const terminal = await summarize([TEXT], { terminal: true });
  expect(terminal.out).toContain("\u001b[");
  for (const name of names) expect(terminal.out).toContain(name);
  expect(uncoloured(terminal.out)).toContain("Zorbanet");
  const pipe = await summarize([TEXT]);
  expect(pipe.out).not.toContain("\u001b[");
  const [target, ...rest] = pipe.out.trimEnd().split("\n");
  expect(terminal.out.startsWith(`${target}\n`)).toBe(true);
  expect(rest.every((line) => line === "" || line.startsWith("  "))).toBe(true);
  for (const name of names) expect(pipe.out).toContain(`  ${name}`);
});

test("what was not read and what the model does not know is said", async () => {
  const long = `${TEXT} `.repeat(200);
  const { out } = await summarize([long]);
  expect(out).toMatch(/\n {2}\(only the first \d+ of \d{4,} tokens were read\)\n/);
  const plain = await summarize(["--no-map", long]);
  expect(plain.err).toMatch(/^heed summarize: text 1: only the first \d+ of \d{4,} tokens were read\n$/);
  expect(plain.out.split("\n")).toHaveLength(2);
  const other = await summarize(["Мы представляем новую нейронную сеть для машинного перевода."]);
  expect(other.out).toContain("  (the model knows 0 % of these words: it was trained on other texts)\n");
  const steering = await summarize(["--format", "text", "A \u001b]0;title\u0007 of text \u202e models"], {
    terminal: true,
  });
  expect(steering.out).not.toContain("\u001b]");
  expect(steering.out).not.toContain("\u202e");
});

test("--max-length, --n-best and --beam are taken, and what is wrong is said before the model is loaded", async () => {
  const { out } = await summarize([
    "--json",
    "--max-length",
    "2",
    "--n-best",
    "3",
    "--beam",
    "1",
    "--block-trigrams",
    TEXT,
  ]);
  const { targetTokens, alternatives } = JSON.parse(out);
  expect(targetTokens.length).toBeLessThanOrEqual(2);
  expect(alternatives.length).toBe(2);
  const cases: [string[], string][] = [
    [["--beam", "0", TEXT], "--beam must be a whole number from 1 to 64"],
    [["--input", "texts.txt", TEXT], "texts must come from one place, got some as words and --input"],
    [
      ["--svg", path.join("nowhere", "a.svg"), TEXT],
      "must be a file that can be written, got no folder nowhere",
    ],
    [
      ["--model", "nothing", TEXT],
      "a model folder must hold model.safetensors, vocabulary.json and card.json",
    ],
  ];
  for (const [args, message] of cases) {
    const { code, err } = await summarize(args);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  }
});

test("--svg and --trace draw each text under its number", async () => {
  writeFileSync(at("texts.txt"), `${TEXT}\n\nA study of search engines and their users.\n`);
  const flags = ["--svg", at("s.svg"), "--trace", at("s.attn")];
  const { code, err } = await summarize(["--no-map", "--input", at("texts.txt"), ...flags]);
  expect(code).toBe(2);
  expect(err).toContain(`drew 2 pictures, the last one ${at("s-3.svg")}`);
  const made = readdirSync(folder).filter((name) => name.startsWith("s"));
  expect(made.toSorted()).toEqual(["s-1.attn", "s-1.svg", "s-3.attn", "s-3.svg"]);
  const svg = readFileSync(at("s-1.svg"), "utf8");
  for (const name of ["p_gen", "again", "coverage", "Summary", "Text"]) expect(svg).toContain(`>${name}<`);
  const trace = importTrace(readFileSync(at("s-1.attn")));
  expect(Object.keys(trace.gates).toSorted()).toEqual(["coverage", "p_gen"]);
});

test("the built command writes a page with the map, its strips and its gates", () => {
  const main = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
  const args = [main, "summarize", "--html", "page.html", "--no-map", TEXT];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder });
  expect([status, stdout.split("\n").length]).toEqual([0, 2]);
  expect(stderr).toBe("heed summarize: wrote page.html\n");
  const page = readFileSync(at("page.html"), "utf8");
  expect(page).toContain("Where each word of the summary looked, with its p_gen");
  expect(page).toContain("The gate p_gen: what it lets through.");
});

test("heed evaluate summarization makes the figures of a split, beside the baselines", async () => {
  const rows = [
    [TEXT, "Zorbanet: machine translation from raw text"],
    ["A study of search engines and their users.", "Search engines and their users"],
  ];
  writeFileSync(at("test.tsv"), `${rows.map((row) => row.join("\t")).join("\n")}\n`);
  const args = ["evaluate", "summarization", "--data", folder, "--beam", "1"];
  const { code, out, err } = await heed(args);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(
    /^test: ROUGE-1 [\d.]+, -2 [\d.]+, -L [\d.]+; 2 texts in [\d.]+ s\nfirst \d+ words: ROUGE-1/,
  );
  expect(out).toContain("\nwhole text: ROUGE-1 ");
  expect(out).toMatch(
    /\nwords outside of the vocabulary: (0|100)\.0 % of the 1 that text and references share come/,
  );
  const json = await heed([...args, "--json", "--no-coverage", "--block-trigrams"]);
  expect(JSON.parse(json.out)).toMatchObject({ sources: 2, repeats: 0, copied: { words: 1 } });
  const off = await heed([...args, "--json", "--no-pointing"]);
  expect(JSON.parse(off.out)).toMatchObject({ copied: { words: 1, share: 0 }, pointed: { share: 0 } });
  const missing = await heed(["evaluate", "summarization", "--data", at("none")]);
  expect([missing.code, missing.err.split("\n").length]).toEqual([2, 2]);
});
