import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { writeRandomMultilingual } from "../tasks/translation/multilingual/random-model.ts";
import { fakeIo } from "./fake-io.ts";

let dir: string;
beforeAll(async () => {
  await useHeedBackend();
  dir = mkdtempSync(path.join(tmpdir(), "heed-many-"));
  writeRandomMultilingual(dir);
});
afterAll(() => rmSync(dir, { recursive: true }));

async function heed(...args: string[]) {
  const io = fakeIo();
  const code = await run(args, io);
  return { code, out: io.out(), err: io.err() };
}

function fixture(name: string, text: string): string {
  const file = path.join(dir, name);
  writeFileSync(file, text);
  return file;
}

test("heed translate --to chooses the language, --n-best adds others, --json says what to doubt", async () => {
  const translate = async (...flags: string[]) => {
    const { code, out, err } = await heed("translate", "--model", dir, "--json", ...flags, "I see 3 dogs.");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    return JSON.parse(out);
  };
  const first = await translate();
  expect(await translate("--to", "fr")).toEqual(first);
  expect(first.confidence).toBeLessThan(0.5);
  expect(first.doubts).toContain("low confidence");
  expect(first.alternatives).toBeUndefined();
  const german = await translate("--to", "de", "--n-best", "3");
  expect(german.target).not.toBe(first.target);
  expect(german.alternatives.length).toBeGreaterThan(0);
  expect(german.alternatives.length).toBeLessThan(3);
});

test("in words, a doubtful translation says so and the next best are indented", async () => {
  const { out } = await heed("translate", "--model", dir, "--n-best", "2", "I see 3 dogs.");
  expect(out).toMatch(/^\S.*\n {2}\S.*\n {2}\(low confidence, \d+ %: check this translation\)\n/);
  expect(out).toContain("(a number or a name of the sentence is missing)");
});

test("a language that the model lacks, or that nobody knows, is one line", async () => {
  const lacking = await heed("translate", "--model", dir, "--to", "es", "I see.");
  expect(lacking).toEqual({
    code: 2,
    out: "",
    err:
      `heed translate: the language must be one that the model of ${dir} translates to, fr, de, got es; ` +
      "choose one of those or another model\n",
  });
  expect((await heed("translate", "--to", "it", "I see.")).err).toBe(
    'heed translate: --to must be one of fr, de, es, got "it"; try --to fr\n',
  );
});

test("heed evaluate translation --spans counts what comes through, and shows the others", async () => {
  const file = fixture("spans.tsv", "# English, fr, de, es\nI see 3 dogs.\t3\t3\t3\n");
  const { out } = await heed("evaluate", "translation", "--model", dir, "--spans", file);
  expect(out).toMatch(
    /^I see 3 dogs\.\n {2}.*\n {2}without 3\n0 of 1 \(0\.0 %\) numbers and names through\n$/,
  );
  const json = await heed("evaluate", "translation", "--model", dir, "--to", "de", "--spans", file, "--json");
  expect(JSON.parse(json.out)).toMatchObject({ spans: 1, through: 0, failures: [{ missing: ["3"] }] });
  const short = fixture("short.tsv", "I see 3 dogs.\t3\n");
  expect((await heed("evaluate", "translation", "--model", dir, "--spans", short)).err).toBe(
    `heed evaluate translation: a row must have 4 columns, English and one for each of fr, de, es, got 2 in ${short} ` +
      "at line 1; correct or remove that line\n",
  );
});

test("heed evaluate translation --links counts what looks at its own, and shows the others", async () => {
  const file = fixture("links.tsv", "I see 3 dogs.\t6-7=3|3|3\n");
  const { out } = await heed("evaluate", "translation", "--model", dir, "--links", file);
  expect(out).toMatch(
    /^I see 3 dogs\.\n {2}.*\n {2}3 is missing\n0 of 1 \(0\.0 %\) numbers and names look at their own\n$/,
  );
  const beyond = fixture("beyond.tsv", "I see 3 dogs.\t6-70=3|3|3\n");
  expect((await heed("evaluate", "translation", "--model", dir, "--links", beyond)).err).toBe(
    "heed evaluate translation: a link must be start-end=French|German|Spanish, with a range of the sentence, got " +
      `"6-70=3|3|3" in ${beyond} at line 1; correct or remove it\n`,
  );
});

test("heed evaluate translation --list prints each line's translation with its confidence", async () => {
  const file = fixture("list.tsv", "# Occasion, and what is said.\npets\tI see a dog.\n\nI see a cat.\n");
  const { out } = await heed("evaluate", "translation", "--model", dir, "--list", file);
  expect(out).toMatch(/^I see a dog\.\n {2}.* {2}0\.\d\d\nI see a cat\.\n {2}.* {2}0\.\d\d\n$/);
  const none = await heed("evaluate", "translation", "--model", dir, "--list", path.join(dir, "none"));
  expect(none.code).toBe(2);
  expect(none.err).toBe(
    `heed evaluate translation: ${path.join(dir, "none")} must be readable, got no such file; check the name\n`,
  );
});
