import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { call, evaluate, Lambda, named, run } from "../../studio/call/call.ts";
import { print, printProgram } from "../../studio/call/print.ts";
import { parseMath, termsOf } from "../../studio/math/parse.ts";
import { CONTROLS, held } from "../../studio/playground/controls.ts";
import { fromHash, toHash } from "../../studio/playground/hash.ts";
import { controlsOf, PRESETS, startsOf } from "../../studio/playground/presets/index.ts";

const studio = path.resolve(import.meta.dirname, "../../studio");

describe("a line of mathematics", () => {
  test("is letters, names, scripts, fractions and terms", () => {
    expect(parseMath("α_{ts} = [tau:x/τ]")).toEqual({
      kind: "row",
      parts: [
        {
          ...{ kind: "scripts", limits: false, sup: undefined },
          base: { kind: "variable", text: "α" },
          sub: {
            kind: "row",
            parts: [
              { kind: "variable", text: "t" },
              { kind: "variable", text: "s" },
            ],
          },
        },
        { kind: "operator", text: "=" },
        {
          ...{ kind: "term", key: "tau" },
          parts: [
            { kind: "variable", text: "x" },
            { kind: "operator", text: "/" },
            { kind: "variable", text: "τ" },
          ],
        },
      ],
    });
    expect(termsOf(parseMath("\\frac{[a:x]}{\\sqrt{[b:y]}} [a:z]_{[c:i]}"))).toEqual(["a", "b", "c"]);
  });

  test("limits stand under sums, and a name is not cut into letters", () => {
    expect(parseMath("∑_s softmax")).toEqual({
      kind: "row",
      parts: [
        {
          ...{ kind: "scripts", limits: true, sup: undefined },
          base: { kind: "operator", text: "∑" },
          sub: { kind: "variable", text: "s" },
        },
        { kind: "variable", text: "softmax" },
      ],
    });
  });

  test.each(["{a", "[k:a", "\\nothing{a}", "a_"])("says what is wrong with %s", (line) => {
    expect(() => parseMath(line)).toThrow(SyntaxError);
  });

  test("of every page can be read, and every line of every preset", () => {
    const pages = readdirSync(studio).filter((file) => file.endsWith(".html"));
    const entities = (text: string) => text.replaceAll("&amp;", "&").replaceAll("&lt;", "<");
    const lines = pages.flatMap((file) =>
      [
        ...readFileSync(path.join(studio, file), "utf8").matchAll(
          /<math-formula>([\s\S]*?)<\/math-formula>/g,
        ),
      ].flatMap(([, text]) => entities(text!).split("\n")),
    );
    expect(lines.length).toBeGreaterThan(60);
    for (const line of [...lines, ...PRESETS.flatMap(({ formula }) => formula.split("\n"))])
      expect(() => parseMath(line), line).not.toThrow();
  });
});

describe("the presets", () => {
  test("link every term to something that can be changed, and every slider's key is known", () => {
    for (const preset of PRESETS) {
      const inFormula = preset.formula.split("\n").flatMap((line) => termsOf(parseMath(line)));
      expect(new Set(inFormula), preset.name).toEqual(new Set(preset.terms.map(({ key }) => key)));
      const can = [...preset.controls, ...preset.grids.map((grid) => `grid-${grid}`)];
      for (const { key, controls } of preset.terms) {
        const known = controls.filter((control) => can.includes(control));
        expect(known.length, `${preset.name}: ${key}`).toBeGreaterThan(0);
        expect(controls, `${preset.name}: ${key}`).toEqual(known);
      }
      for (const key of preset.controls) expect(CONTROLS.has(key), key).toBe(true);
    }
  });

  test("come back from their address as they were", () => {
    const state = fc.constantFrom(...PRESETS).chain((preset) => {
      const values = controlsOf(preset).map((control) =>
        fc
          .double({ min: control.least, max: control.most, noNaN: true })
          .map((x) => [control.key, held(control, x)] as const),
      );
      const edits = fc.dictionary(
        fc.constantFrom("q0.0", "k7.5", "v3.2"),
        fc.integer({ min: -990, max: 990 }).map((tenths) => tenths / 10),
        { noNullPrototype: true },
      );
      return fc.record({ preset: fc.constant(preset), changed: fc.tuple(...values), edits });
    });
    fc.assert(
      fc.property(state, ({ preset, changed, edits }) => {
        const given = { preset, values: { ...startsOf(preset), ...Object.fromEntries(changed) }, edits };
        expect(fromHash(`#${toHash(given)}`)).toEqual(given);
      }),
      { numRuns: 200 },
    );
  });

  test("take any address", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(PRESETS).toContain(fromHash(`#preset=dot&${text}&T=${text}`).preset);
      }),
    );
  });
});

describe("a call that is made and written", () => {
  const functions = {
    twice: (x: number) => 2 * x,
    map: (f: (x: number) => number, xs: number[]) => xs.map(f),
  };
  const program = {
    constants: [["xs", [1, -2.5]]] as const,
    result: call("map", new Lambda("x", call("twice", named("x"))), named("xs")),
    shows: { all: "length" },
  };

  test("gives what its text gives", () => {
    expect(run(program, functions)).toEqual([2, -5]);
    const body = `const { twice, map } = f; const xs = ${print([1, -2.5])}; return ${print(program.result)};`;
    expect(new Function("f", body)(functions)).toEqual([2, -5]);
  });

  test("is a module that imports what it calls, with long lists on several lines", () => {
    const text = printProgram(program);
    expect(text).toContain('import { map, twice } from "heed";');
    expect(text).toContain("const result = map((x) => twice(x), xs);");
    const long = print(Array.from({ length: 40 }, (_, n) => n + 0.25));
    expect(Math.max(...long.split("\n").map((line) => line.length))).toBeLessThanOrEqual(96);
    expect(JSON.parse(long.replace(/,(\s*\])/, "$1"))).toHaveLength(40);
  });

  test("refuses a name that is not in the table", () => {
    expect(() => evaluate(call("process"), functions)).toThrow(
      "call: process is not in the table of functions",
    );
    expect(() => evaluate(call("constructor"), functions)).toThrow("is not in the table");
  });
});
