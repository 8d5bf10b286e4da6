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

  test("leaves a comment of prose alone, and still runs the statement", async () => {
    expect(await runSnippet("add(1, 2); // the sum of both", { add }, none)).toBe(0);
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
