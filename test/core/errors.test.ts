import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const SOURCE = "src";
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);
const read = (name: string) => readFileSync(join(SOURCE, name), "utf8");

/** Every word in capitals of the `@throws` lines of a file, up to the next tag, empty line or end of the comment. */
function thrownWords(text: string): string[] {
  return [...text.matchAll(/\/\*\*.*?\*\//gs)].flatMap(([comment]) =>
    [...comment.matchAll(/@throws(.*?)(?=\n\s*\*\s*@|\n\s*\*\s*\n|\*\/)/gs)].flatMap(([, says]) =>
      // Shorter ones are letters of shapes and the T and S of a rule.
      [...says!.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b/g)]
        .map(([word]) => word)
        .filter((w) => w.length > 2),
    ),
  );
}

const union = /export type ErrorCode =(.*?);\n\n/s.exec(read("core/errors.ts"))![1]!;
const codes = new Set([...union.matchAll(/^ *\| "([A-Z_]+)"/gm)].map(([, code]) => code!));

it("reads the codes of a program from its `@throws` lines, over lines that go on", () => {
  const lines = "/**\n * @throws ShapeError RANK, TWO_WORDS ·\n *   OptionError OPTION\n * @example NOT\n */";
  expect(thrownWords(lines)).toEqual(["RANK", "TWO_WORDS", "OPTION"]);
  expect(codes.size).toBeGreaterThan(25);
});

it("has no `@throws` line that names another code than those of ErrorCode", () => {
  const wrong = files.flatMap((name) =>
    thrownWords(read(name))
      .filter((word) => !codes.has(word))
      .map((word) => `${name}: ${word}`),
  );
  expect(wrong).toEqual([]);
});

it("has no code that nothing throws", () => {
  const all = files.filter((name) => name !== join("core", "errors.ts")).map(read);
  const thrown = (code: string) => all.some((text) => text.includes(`"${code}"`));
  expect([...codes].filter((code) => !thrown(code))).toEqual([]);
});
