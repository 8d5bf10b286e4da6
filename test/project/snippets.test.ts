import { describe, expect, test } from "vitest";
import { exampleBlocks, runSnippet } from "./snippets.ts";

const none = async () => ({});

test("example blocks are found with their line, without stars, fences and the tags after them", () => {
  const source = [
    "/**",
    " * Adds.",
    " * @example",
    " * ```ts",
    " * add(1, 2); // 3",
    " * ```",
    " * @returns the sum",
    " */",
    "  /** @example one(); */",
    "// @example not in a docstring",
  ].join("\n");
  expect(exampleBlocks(source)).toEqual([
    { line: 3, code: "add(1, 2); // 3" },
    { line: 9, code: "one();" },
  ]);
});

describe("runSnippet", () => {
  const add = (a: number, b: number) => a + b;

  test("checks the values that comments write down", async () => {
    expect(await runSnippet("add(1, 2); // 3\nconsole.log(add(1, 3)); // 4", { add }, none)).toBe(2);
    await expect(runSnippet("add(1, 2); // 4", { add }, none)).rejects.toThrow(
      "the comment says 4, the code gives 3",
    );
    await expect(runSnippet("if (true) {\n  console.log([1]); // [2]\n}", {}, none)).rejects.toThrow("[2]");
  });

  test("compares numbers as precisely as the comment writes them", async () => {
    expect(await runSnippet("[1 / 3]; // [0.333]", {}, none)).toBe(1);
    await expect(runSnippet("[1 / 3]; // [0.334]", {}, none)).rejects.toThrow("0.334");
  });

  test("reads typed arrays, objects and a comment on the next line", async () => {
    const code =
      "({ ids: Int32Array.of(1, 2) }); // { ids: [1, 2] }\nFloat32Array.of(3);\n// Float32Array [3]";
    expect(await runSnippet(code, {}, none)).toBe(2);
    await expect(runSnippet("({ a: 1, b: 2 }); // { a: 1 }", {}, none)).rejects.toThrow("{ a: 1 }");
    await expect(runSnippet("Float32Array.of(3);\n// Float32Array [4]", {}, none)).rejects.toThrow("[4]");
  });

  test.each([
    "3, the sum",
    "1 \u2212 2",
    "-3 dB",
    "[1, 2] but for rounding",
    "[[1], …]",
    "true: a new best",
    '"é" in French',
    "{ a: 1, … }",
    "Uint16Array [1]: one",
    "→ 3 or so",
    "NaN for nothing",
  ])("refuses a comment that begins like a value and is none: %s", async (comment) => {
    await expect(runSnippet(`[1]; // ${comment}`, {}, none)).rejects.toThrow(
      `the comment begins like a value and is none, got ${comment}; write the value alone`,
    );
  });

  test("leaves a comment of prose alone, and still runs the statement", async () => {
    for (const prose of ["the sum of both", "[B, T, S]", "in [0, 1)", "truth", "below 1e-9"]) {
      expect(await runSnippet(`add(1, 2); // ${prose}`, { add }, none)).toBe(0);
    }
    await expect(runSnippet("missing(1); // the sum of both", { add }, none)).rejects.toThrow(
      "missing is not defined",
    );
  });

  test("binds imports, types go, a name may be declared again", async () => {
    const load = async (specifier: string) => ({ name: specifier });
    const code = 'import { name as n } from "heed/x";\nconst add: string = n;\nadd; // "heed/x"';
    expect(await runSnippet(code, { add }, load)).toBe(1);
    await expect(runSnippet('import { other } from "heed/x";', {}, load)).rejects.toThrow(
      "heed/x has no other",
    );
  });
});
