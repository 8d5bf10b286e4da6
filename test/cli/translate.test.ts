import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Io } from "../../src/cli/io.ts";
import { translateCommand } from "../../src/cli/translate.ts";
import { FileError, HeedError } from "../../src/core/errors.ts";
import { importTrace, layerMap } from "../../src/inspect/index.ts";
import { drawTrace } from "../../src/views/index.ts";
import { fakeIo } from "./fake-io.ts";
import { fakeTranslator, turnAround } from "./fake-translator.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Card = { from: string; to: string };

/** Runs `heed translate …` with a fake translator. */
async function translate(
  args: string[],
  {
    card,
    stdin,
    ...settings
  }: Parameters<typeof fakeIo>[0] & Partial<{ card: Card; stdin: Io["stdin"] }> = {},
) {
  const io = fakeIo(settings);
  if (stdin) io.stdin = stdin;
  const { load, calls } = fakeTranslator(card);
  const command = new Command().addCommand(
    translateCommand(io, load)
      .exitOverride()
      .configureOutput({ writeErr: () => {} }),
  );
  await command.parseAsync(["translate", ...args], { from: "user" });
  return { out: io.out(), err: io.err(), calls };
}

async function refusal(args: string[]): Promise<string> {
  const error = await translate(args).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Error);
  return (error as Error).message;
}

describe("what is translated", () => {
  test("each argument is one sentence", async () => {
    const { out, calls } = await translate(["--no-map", "I am", "so tired"]);
    expect(out).toBe("AM I\nTIRED SO\n");
    expect(calls).toEqual({ folder: undefined, batches: [2], options: [{ weights: false }], disposed: true });
  });

  test("sentences go before a standard input with something in it, and that is said", async () => {
    const { out, err, calls } = await translate(["--no-map", "I am"], { input: ["so tired\n"] });
    expect(out).toBe("AM I\n");
    expect(calls.batches).toEqual([1]);
    expect(err).toBe(
      "heed translate: standard input was not read, as sentences were given; leave them out to read it\n",
    );
    expect((await translate(["--no-map", "I am"], { input: [] })).err).toBe("");
  });

  test("without arguments, standard input gives one sentence a line, empty lines, CRLF and all", async () => {
    const { out, err } = await translate(["--no-map"], { input: ["I am\r\n\r\nso ti", "red\n\nyes"] });
    expect(out).toBe("AM I\n\nTIRED SO\n\nYES\n");
    expect(err).toBe("");
  });

  test("a thousand lines go through in batches, in order", async () => {
    const lines = Array.from({ length: 1000 }, (_, at) => `line ${at}`);
    const { out, calls } = await translate(["--no-map"], { input: [`${lines.join("\n")}\n`] });
    expect(out.trimEnd().split("\n")).toEqual(lines.map((line) => turnAround(line).target));
    expect(calls.batches).toEqual([...Array(15).fill(64), 40]);
  });

  test("a line that is not UTF-8 is translated with U+FFFD, and named on standard error", async () => {
    const { out, err } = await translate(["--no-map"], {
      input: ["fine\n", Uint8Array.of(0x61, 0xff, 0x0a)],
    });
    expect(out).toBe("FINE\nA\uFFFD\n");
    expect(err).toBe("heed translate: line 2 is not UTF-8; its broken bytes are read as U+FFFD\n");
  });

  test("--beam and --model are handed on", async () => {
    const { calls } = await translate(["--beam", "3", "--model", "somewhere", "x"]);
    expect(calls.options).toEqual([{ beam: 3 }]);
    expect(calls.folder).toBe("somewhere");
  });
});

describe("what is printed", () => {
  test("--json prints one object a line, with exactly the promised fields", async () => {
    const { out } = await translate(["--json", "I am", ""]);
    const [first, second] = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toEqual(turnAround("I am"));
    expect(Object.keys(first)).toEqual([
      "source",
      "target",
      "sourceTokens",
      "targetTokens",
      "weights",
      "score",
    ]);
    expect(second).toEqual({
      source: "",
      target: "",
      sourceTokens: [],
      targetTokens: [],
      weights: [],
      score: -0.5,
    });
  });

  test("off a terminal, each translation is followed by its summary, indented", async () => {
    const { out } = await translate(["so tired"]);
    const [translation, ...summary] = out.trimEnd().split("\n");
    expect(translation).toBe("TIRED SO");
    expect(summary[0]).toBe("  2 output tokens over 2 input tokens; “TIRED” attends most to “tired” (0.75).");
    for (const line of summary) expect(line).toMatch(/^ {2}/);
  });

  test("on a terminal, each translation is followed by its heat map in colour, and --color never takes the colour away", async () => {
    const inColor = await translate(["so tired"], { terminal: true });
    expect(inColor.out).toMatch(/^TIRED SO\n/);
    expect(inColor.out).toContain("\u001b[");
    const without = await translate(["--color", "never", "so tired"], { terminal: true });
    expect(without.out).not.toContain("\u001b[");
    expect(without.out).toContain("0.75");
  });

  test("--format and --color say what to print whatever the output is", async () => {
    const env = { COLORTERM: "truecolor" };
    const map = await translate(["--format", "map", "--color", "always", "so tired"], { env });
    expect(map.out).toContain("\u001b[");
    const text = await translate(["--format", "text", "so tired"], { terminal: true });
    expect(text.out).toContain("2 output tokens over 2 input tokens");
    const plain = await translate(["--format", "plain", "so tired"], { terminal: true });
    expect(plain.out).toBe("TIRED SO\n");
  });

  test("escape sequences in a sentence reach the terminal as visible text", async () => {
    const { out } = await translate(["--format", "map", "on\u001b[31m off"], { terminal: true });
    expect(out).not.toContain("\u001b[31m");
    expect(out).toMatch(/^OFF ON\\u001b\[31M\n/);
  });

  test("an empty line has no map", async () => {
    expect((await translate([""], { terminal: true })).out).toBe("\n");
  });
});

describe("--svg", () => {
  test("one sentence goes to the file", async () => {
    const file = path.join(folder, "tired.svg");
    const { err } = await translate(["--no-map", "--svg", file, "so tired"]);
    expect(readFileSync(file, "utf8")).toMatch(/^<svg [\s\S]*tired[\s\S]*<\/svg>\s*$/);
    expect(err).toBe(`heed translate: drew ${file}\n`);
  });

  test("its axes carry the names of the model's languages", async () => {
    const file = path.join(folder, "map.svg");
    const axes = async (card: Card) => {
      await translate(["--no-map", "--svg", file, "so tired"], { card });
      const svg = readFileSync(file, "utf8");
      return ["English", "French", "German", "Brazilian Portuguese", "toy words"].filter((name) =>
        svg.includes(`>${name}<`),
      );
    };
    expect(await axes({ from: "en", to: "fr" })).toEqual(["English", "French"]);
    expect(await axes({ from: "pt-BR", to: "de" })).toEqual(["German", "Brazilian Portuguese"]);
    expect(await axes({ from: "toy words", to: "fr" })).toEqual(["French", "toy words"]);
  });

  test("where there is no word to draw, no file is made, and the command says so", async () => {
    const { err } = await translate(["--no-map", "--svg", path.join(folder, "map.svg"), ""]);
    expect(err).toBe("heed translate: drew no picture, for there was no word to draw\n");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("several go to numbered files, an empty line keeps its number, and the command says so", async () => {
    const file = path.join(folder, "map.svg");
    const { err } = await translate(["--no-map", "--svg", file], { input: ["one\n", "\n", "two\n"] });
    expect(readdirSync(folder).sort()).toEqual(["map-1.svg", "map-3.svg"]);
    expect(err).toBe(`heed translate: drew 2 pictures, the last one ${path.join(folder, "map-3.svg")}\n`);
  });

  test("a file that cannot be written is refused before anything is translated", async () => {
    const missing = path.join(folder, "no/such/map.svg");
    const error = await translate(["--svg", missing, "x"]).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError<"UNWRITABLE">).message).toBe(
      `heed translate: ${missing} must be a file that can be written, got no folder ${path.dirname(missing)}; name another one`,
    );
    mkdirSync(path.join(folder, "map.svg"));
    expect(await refusal(["--svg", path.join(folder, "map.svg"), "x"])).toBe(
      `heed translate: ${path.join(folder, "map.svg")} must be a file that can be written, got a folder; name another one`,
    );
    expect(existsSync(missing)).toBe(false);
  });
});

describe("--trace", () => {
  test("writes what each word looked at, which the other commands read", async () => {
    const file = path.join(folder, "tired.attn");
    const { err } = await translate(["--no-map", "--trace", file, "so tired"]);
    expect(err).toBe(`heed translate: wrote ${file}\n`);
    const trace = importTrace(readFileSync(file));
    expect(trace.tokens).toEqual({ src: ["so", "tired"], tgt: ["TIRED", "SO"] });
    expect(Array.from(layerMap(trace.layers[0]!).row(0, 0).values)).toEqual([0.25, 0.75]);
    expect(drawTrace(trace)).toContain(">TIRED</text>");
  });

  test("several go to numbered files, and where there is no word none is made", async () => {
    const file = path.join(folder, "t.attn");
    const { err } = await translate(["--no-map", "--trace", file], { input: ["one\n", "\n", "two\n"] });
    expect(readdirSync(folder).sort()).toEqual(["t-1.attn", "t-3.attn"]);
    expect(err).toBe(`heed translate: wrote 2 traces, the last one ${path.join(folder, "t-3.attn")}\n`);
    const none = await translate(["--no-map", "--trace", file, ""]);
    expect(none.err).toBe("heed translate: wrote no trace, for there was no word to draw\n");
  });
});

describe("what is refused", () => {
  test.each(["0", "-1", "abc", "1000", "2.5", "", "1e1", "٣"])("--beam %j", async (beam) => {
    const message = await refusal([`--beam=${beam}`, "x"]);
    expect(message).toBe(
      `heed translate: --beam must be a whole number from 1 to 64, got ${JSON.stringify(beam)}; try --beam 5`,
    );
  });

  test("a word that --color or --format does not know", async () => {
    expect(await refusal(["--color", "blue", "x"])).toBe(
      'heed translate: --color must be one of auto, always, never, got "blue"; try --color auto',
    );
    expect(await refusal(["--format", "png", "x"])).toBe(
      'heed translate: --format must be one of map, text, plain, json, got "png"; try --format map',
    );
  });

  test.each([
    ["--json", "--format", "map"],
    ["--no-map", "--format", "map"],
    ["--no-map", "--json"],
  ])("two flags that exclude each other: %s", async (...flags) => {
    expect(await refusal([...flags, "x"])).toMatch(/cannot be used with option '--(json|no-map)'/);
  });

  test("standard input that cannot be read", async () => {
    const stdin = (async function* () {
      yield Buffer.from("one\n");
      throw Object.assign(new Error("EISDIR: illegal operation on a directory, read"), { code: "EISDIR" });
    })();
    const error = await translate(["--no-map"], { stdin }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError<"UNREADABLE">).message).toBe(
      "heed translate: standard input must be readable, got a folder; check the name",
    );
  });

  test("all of it as heed's own errors, which the command prints on one line", async () => {
    await expect(translate(["--beam", "0", "x"])).rejects.toBeInstanceOf(HeedError);
    await expect(translate(["--threads", "0", "x"])).rejects.toBeInstanceOf(HeedError);
  });
});
