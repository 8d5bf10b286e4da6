import { type StdioOptions, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { importTrace } from "../../src/inspect/index.ts";
import { exampleScene } from "../../src/tasks/index.ts";
import { encodePng } from "../../src/viz/index.ts";
import { fakeIo } from "./fake-io.ts";

/** A boot left of a trouser, which is above a bag. */
const SEED = 1;

let folder: string;
const at = (name: string) => path.join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-ask-"));
  const { pixels } = exampleScene(SEED);
  writeFileSync(at("scene.png"), encodePng({ height: 64, width: 64, channels: 1, data: pixels }));
  // The same on white, with a margin, twice as large.
  const side = 150;
  const large = Uint8Array.from({ length: side * side }, (_, n) => {
    const [y, x] = [Math.floor(n / side), n % side].map((v) => Math.floor((v - 11) / 2)) as [number, number];
    return 255 - (y >= 0 && y < 64 && x >= 0 && x < 64 ? pixels[y * 64 + x]! : 0);
  });
  writeFileSync(at("large.png"), encodePng({ height: side, width: side, channels: 1, data: large }));
  writeFileSync(at("text.png"), "no picture");
});
afterAll(() => rmSync(folder, { recursive: true }));

async function ask(args: string[], options: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo(options);
  const code = await run(["ask", ...args], io);
  return { code, out: io.out(), err: io.err() };
}

test("questions of each kind about a picture are answered, on black and on white", async () => {
  const scene = at("scene.png");
  const asked: [string, string][] = [
    ["What is left of the bag?", "boot"],
    ["is there a sandal", "no"],
    ["Is there a bag in the picture?", "yes"],
    ["How many bags are there?", "1"],
    ["How many trousers are there?", "1"],
  ];
  for (const [question, answer] of asked)
    expect(await ask([question, scene]), question).toEqual({ code: 0, out: `${answer}\n`, err: "" });
  expect((await ask(["Is there a bag?", at("large.png")])).out).toBe("yes\n");
});

test("--json has the answer, its probability, the next ones, and what each word looked at", async () => {
  const { code, out } = await ask(["--json", "Is there a bag?", at("scene.png")]);
  expect(code).toBe(0);
  const { picture, question, answer, probability, answers, words, weights, ...rest } = JSON.parse(out);
  expect([picture, question, answer, rest]).toEqual([at("scene.png"), "Is there a bag?", "yes", {}]);
  expect(answers[0]).toEqual({ answer, probability });
  expect(answers).toHaveLength(4);
  expect(words).toEqual(["is", "there", "a", "bag"]);
  expect(weights.map((map: number[]) => map.length)).toEqual([64, 64, 64, 64]);
});

test("a list goes on past what cannot be read, which leaves its line, and makes the exit code 2", async () => {
  writeFileSync(
    at("list.txt"),
    [at("scene.png"), at("text.png"), at("none.png"), at("scene.png")].join("\n"),
  );
  const { code, out, err } = await ask(["How many boots are there?", "--input", at("list.txt")]);
  expect([code, out]).toEqual([2, "1\n\n\n1\n"]);
  const [text, missing, last] = err.trimEnd().split("\n");
  expect(text).toBe(
    `heed ask: line 2: ${at("text.png")} must be a PNG or JPEG picture, got bytes of another kind; save the picture as PNG ` +
      "or JPEG",
  );
  expect(missing).toMatch(/^heed ask: line 3: the file must be readable, got no such file/);
  expect(last).toBe("heed ask: 2 of 4 pictures had no answer");
  const piped = await ask(["--json", "How many boots are there?"], {
    input: [`${at("text.png")}\n${at("scene.png")}\n`],
  });
  const objects = piped.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(objects[0]).toEqual({
    picture: at("text.png"),
    question: "How many boots are there?",
    answer: null,
    error: expect.stringContaining("must be a PNG or JPEG picture"),
  });
  expect(objects[1].answer).toBe("1");
});

test("words that the model does not know are named and left out; a question without an item is refused", async () => {
  const { code, out, err } = await ask(["What is exactly left of the purple bag?", at("scene.png")]);
  expect([code, out]).toEqual([0, "boot\n"]);
  expect(err).toMatch(
    /^heed ask: the model does not know "exactly", "purple", and leaves them out; it knows a, above, .*\n$/,
  );
  for (const [question, remedy] of [
    ["What is left of the hat?", "it does not know hat"],
    ["Что это?", "it does not know что, это"],
    ["What is left of the?", "ask about one of them"],
    ["", "ask about one of them"],
  ] as const) {
    const refused = await ask([question, at("scene.png")]);
    expect([refused.code, refused.out]).toEqual([2, ""]);
    expect(refused.err).toBe(
      "heed ask: a question must name one of the items that the model knows, t-shirt, trouser, coat, sandal, sneaker, bag, " +
        `boot, got ${JSON.stringify(question)}; ${remedy}\n`,
    );
  }
  const shirts = await ask(["How many shirts are there?", at("scene.png")]);
  expect(shirts).toEqual({
    code: 0,
    out: (await ask(["How many t-shirts are there?", at("scene.png")])).out,
    err: 'heed ask: the model does not know "shirts", and reads t-shirts\n',
  });
  const long = await ask([`is there a ${"bag ".repeat(20)}`, at("scene.png")]);
  expect(long.err).toContain("a question must have at most 11 words");
});

test("without a picture an example is composed; a terminal gets the words with what they looked at", async () => {
  const { code, out, err } = await ask(["What is left of the bag?"], { terminal: true });
  expect([code, err]).toEqual([0, "heed ask: no picture was given; this one is an example\n"]);
  expect(out).toMatch(/^boot\nprobability [01]\.\d{3}\n\n/);
  expect(out).toContain("\u001b[");
  expect((await ask(["--no-picture", "What is left of the bag?"], { terminal: true })).out).toBe("boot\n");
});

test("--svg and --trace draw what was looked at, numbered as the pictures are", async () => {
  const flags = ["--svg", at("a.svg"), "--trace", at("a.attn")];
  const pictures = ["scene.png", "text.png", "scene.png"].map(at);
  const { code, err } = await ask(["Is there a bag?", ...pictures, ...flags]);
  expect(code).toBe(2);
  expect(err).toContain(`drew 2 pictures, the last one ${at("a-3.svg")}`);
  expect(readdirSync(folder).filter((name) => name.startsWith("a-"))).toHaveLength(4);
  const svg = readFileSync(at("a-1.svg"), "utf8");
  for (const text of ["Is there a bag? yes", ">bag<", "→ yes"]) expect(svg).toContain(text);
  const trace = importTrace(readFileSync(at("a-1.attn")));
  expect(trace.tokens.words).toEqual(["[ask]", "is", "there", "a", "bag"]);
  expect(trace.layers.map(({ name }) => name)).toEqual(["words 0", "cells 0", "words 1"]);
});

test("the built command asks about its example where standard input is nothing, and writes it as a page", () => {
  const main = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
  const args = [main, "ask", "Is there a bag?", "--html", "page.html"];
  const stdio: StdioOptions = ["ignore", "pipe", "pipe"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    cwd: folder,
    stdio,
  });
  expect([status, stdout]).toEqual([0, "yes\n"]);
  expect(stderr).toContain("no picture was given; this one is an example\nheed ask: wrote page.html");
  expect(readFileSync(at("page.html"), "utf8")).toContain("Is there a bag?");
});

test("a question must be given, and pictures come from one place", async () => {
  const none = await ask([]);
  expect([none.code, none.err]).toEqual([2, expect.stringContaining("missing required argument 'question'")]);
  const both = await ask(["Is there a bag?", at("scene.png"), "--input", at("list.txt")]);
  expect([both.code, both.err]).toEqual([2, expect.stringContaining("pictures must come from one place")]);
});

test("a picture in the question's place is named as what it is", async () => {
  for (const pictures of [["Is there a bag?"], []])
    expect(await ask(["scene.JPG", ...pictures])).toEqual({
      code: 2,
      out: "",
      err:
        "heed ask: the question must come before the pictures, got scene.JPG first; " +
        'try heed ask "Is there a bag?" scene.JPG\n',
    });
});
