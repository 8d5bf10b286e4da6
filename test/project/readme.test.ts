import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";

/**
 * The documents run. A `js` block must print what its `console.log(…); // comments` say, or the `text` block
 * right below it; so must an `sh` block that has one. Every command line is run, except those listed here; of long
 * work, the help is.
 */
const root = path.resolve(import.meta.dirname, "../..");
const DOCUMENTS = [
  ...["README.md", "CONTRIBUTING.md", "docs/TRANSLATION.md"],
  ...["node", "vite", "notebooks", "page", "tensorflow-js", "pytorch"].map(
    (name) => `docs/guides/${name}.md`,
  ),
];
const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const folder = mkdtempSync(path.join(tmpdir(), "heed-readme-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Lines that are not run: they install or start long work. What they name must exist. */
const NOT_RUN = [
  /^npm install heed( @tensorflow\/tfjs[a-z-]*)*$/,
  /^npm (test|run [a-z]+)( -- .*)?$/,
  /^git clone /,
];

/** Commands that download, train, serve, or need a model that nobody has here: not run either, but their `--help` must know every word and flag of the line. */
const LONG = /^(npx )?heed (data fetch|models fetch|generate|train|evaluate|studio)(?!.* --help\b)/;

/** A published model that some commands take, where the data are beside the project; elsewhere their help is run. */
const MODEL = "all-minilm-l6-v2";
const modelFolder = path.resolve(root, "../shared/data", MODEL);
const hasModel = existsSync(modelFolder);
if (hasModel) symlinkSync(modelFolder, path.join(folder, MODEL));

interface Block {
  document: string;
  language: string;
  code: string;
  output: string | undefined;
}

const blocks: Block[] = DOCUMENTS.flatMap((document) => {
  const text = readFileSync(path.join(root, document), "utf8");
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const below = text.slice(match.index + match[0].length);
    const output = /^\s*```text\n([\s\S]*?)^```$/m.exec(below);
    return {
      document,
      language: match[1]!,
      code: match[2]!,
      output: output?.index === 0 && match[1] !== "text" ? output[1] : undefined,
    };
  });
});

const commands = blocks
  .filter(({ language }) => language === "sh")
  .flatMap(({ document, code, output }) =>
    code
      .split("\n")
      .map((line) => line.replace(/\s+#.*$/, "").trim())
      .filter((line) => line !== "")
      .map((line) => ({ document, line, output })),
  );
const programs = blocks.filter(({ language }) => language === "js");

/** A command of the documents as this machine runs it: the built command in place of the installed one. */
function runnable(line: string): string {
  const heed = `"${process.execPath}" "${path.join(root, "dist/cli/main.js")}"`;
  return line.replace(/^npm start( --)?/, `${heed} start`).replace(/\b(npx )?heed (?=[a-z-])/g, `${heed} `);
}

function bash(line: string): string {
  const text = `set -eo pipefail\n${runnable(line)}`;
  return execFileSync("bash", ["-c", text], { cwd: folder, encoding: "utf8", stdio: "pipe" });
}

/** Checks a command without running it: its words, up to an argument, and its flags must be in its help. */
function expectKnown(line: string): void {
  const help = bash(`${line} --help`);
  const usage = /^Usage: heed ((?:[a-z-]+ )+)(.*)$/m.exec(help);
  expect(usage, help).not.toBeNull();
  const [, words, takes] = usage!;
  expect(takes, "a word that is no subcommand").not.toContain("[command]");
  const typed = line.replace(/^(npx )?heed /, "").split(" ");
  const rest = `${typed.join(" ")} `.replace(words!, "").trim().split(" ").filter(Boolean);
  const flags = rest.filter((word) => word.startsWith("--"));
  expect(flags.filter((flag) => !new RegExp(`  ${flag}(?![\\w-])`).test(help))).toEqual([]);
  if (rest[0] && rest[0] !== flags[0]) expect(takes).toMatch(/[<[](name|model|files)/);
}

test("code blocks say their language, and it is one that is checked", () => {
  expect(blocks.filter(({ language }) => !["js", "mjs", "sh", "text", "html"].includes(language))).toEqual(
    [],
  );
  expect(programs.length).toBeGreaterThan(0);
  expect(commands.length).toBeGreaterThan(0);
});

describe("commands", () => {
  test.each(commands)("$document: $line", ({ line, output }) => {
    const script = /^npm (?:run )?(\w+)/.exec(line)?.[1];
    if (script && script !== "install") expect(scripts).toHaveProperty(script);
    if (NOT_RUN.some((pattern) => pattern.test(line))) return;
    if (LONG.test(line) || (line.includes(MODEL) && !hasModel)) return expectKnown(line);
    const printed = bash(line);
    if (output !== undefined) expect(printed).toBe(output);
  });
});

describe("programs", () => {
  test.each(programs)("$document: program %# prints what it says", ({ code, output }) => {
    const comments = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
    expect(comments.length > 0 || output !== undefined, "a program must show its result").toBe(true);
    const flags = ["--input-type=module", "-e", code];
    const env = { ...process.env, NO_COLOR: "1" };
    const printed = execFileSync(process.execPath, flags, { cwd: root, encoding: "utf8", env });
    expect(printed.trimEnd()).toBe(output?.trimEnd() ?? comments.join("\n"));
  });
});

test("long commands are known by their help: a wrong word or flag is caught", () => {
  expect(commands.filter(({ line }) => LONG.test(line)).length).toBeGreaterThanOrEqual(3);
  expect(() => expectKnown("heed train translaton")).toThrow();
  expect(() => expectKnown("heed train translation --epoch 3")).toThrow();
  expect(() => expectKnown("heed evaluate --fast")).toThrow();
});

/** A document without its blocks of code, whose addresses are those of the reader's own page. */
const proseOf = (document: string) =>
  readFileSync(path.join(root, document), "utf8").replace(/^```[\s\S]*?^```$/gm, "");

test("links to files of the repository lead somewhere", () => {
  const broken = DOCUMENTS.flatMap((document) =>
    [...proseOf(document).matchAll(/(?:\]\(|src=")([^)"#]+)/g)]
      .map((match) => match[1]!)
      .filter((link) => !/^https?:/.test(link) && !existsSync(path.join(root, path.dirname(document), link))),
  );
  expect(broken).toEqual([]);
});

test("the attribution of the training data is in the README", () => {
  const readme = readFileSync(path.join(root, "README.md"), "utf8").replace(/\s+/g, " ");
  expect(readme).toContain("CC BY 2.0 FR");
  expect(readme).toContain("sentences by the contributors of Tatoeba (https://tatoeba.org)");
});
