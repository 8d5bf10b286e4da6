/** Formulas of docstrings as MathML, and options of code as controls. */
import { describe, expect, test } from "vitest";
import { importsOf } from "../../studio/call/print.ts";
import { parseMath } from "../../studio/math/parse.ts";
import { formulaOf, notationOf } from "../../studio/playground/catalogue/notation.ts";
import { optionsOf } from "../../studio/playground/catalogue/options.ts";
import { PRESETS, startsOf } from "../../studio/playground/presets/index.ts";
import { gridsOf } from "../../studio/playground/values.ts";
import { parseScript } from "../../studio/script/parse.ts";
import { mechanismFamilies } from "../../tools/studio-mechanisms.mjs";

const ALL = mechanismFamilies().flatMap(({ mechanisms }) => mechanisms);

describe("the formulas of mechanisms", () => {
  test("can all be set, and keep no sign of how they were written", () => {
    const without = ALL.filter(({ formula }) => formula === "").map(({ name }) => name);
    // A number that a layer's own number gives; its sentence says which.
    expect(without).toEqual(["differentialLambda"]);
    for (const { name, formula } of ALL) {
      for (const line of formulaOf(formula).split("\n")) {
        expect(() => parseMath(line), `${name}: ${line}`).not.toThrow();
        expect(line.replace(/"[^"]*"/g, ""), name).not.toMatch(
          /[₀-₉ᵀ√\uE001-\uE003`]|\u0302|\u0303|_[^{]|\^[^{]/,
        );
      }
    }
  });

  test.each([
    ["out_t = Σ_s α_ts v_s", "out_{t} = ∑_{s} α_{ts} v_{s}"],
    ["w_(t−1) ã_ij √(D + 1)", "w_{t−1} \\tilde{a}_{ij} \\sqrt{D + 1}"],
    ["w₂ᵀ tanh(w₁x)", "w_{2}^{⊤} tanh(w_{1}x)"],
    ["K_t the k visible keys", 'K_{t} "the k visible keys"'],
    ["q, k ∈ {0, 1}", "q, k ∈ \\{0, 1\\}"],
    ["x·Wq + bq", "x·W_{q} + b_{q}"],
    ["s ~ Categorical(α)", "s ∼ Categorical(α)"],
  ])("turns %s into %s", (written, expected) => {
    expect(notationOf(written)).toBe(expected);
  });
});

test("what every preset of the playground calls is a mechanism that the page of all of them has", () => {
  const known = new Set(ALL.map(({ name }) => name));
  const called = PRESETS.flatMap((preset) => {
    const values = startsOf(preset);
    return importsOf(preset.program(values, gridsOf(values, {})));
  });
  expect([...new Set(called)].filter((name) => name !== "NORMALIZERS" && !known.has(name))).toEqual([]);
});

describe("the options of code", () => {
  test("are the plain numbers and truths that mechanisms are given, and not what asks for answers", () => {
    const text =
      "return topKAttention(x, x, x, { k: 3, scale: -0.5, causal: true, weights: true, window: { left: 2 } });";
    expect(optionsOf(parseScript(text)).map(({ label, value }) => [label, value])).toEqual([
      ["topKAttention · k", 3],
      ["topKAttention · scale", -0.5],
      ["topKAttention · causal", true],
      ["topKAttention · window · left", 2],
    ]);
    for (const { start, end, value } of optionsOf(parseScript(text)))
      expect(text.slice(start, end)).toBe(String(value));
  });

  test("may stand in a constant, and constants that are numbers are options too", () => {
    const text =
      "const n = 12;\nconst options = { k: 3, weights: true };\nreturn topKAttention(x, x, x, options);";
    expect(optionsOf(parseScript(text)).map(({ label, value }) => [label, value])).toEqual([
      ["n", 12],
      ["topKAttention · k", 3],
    ]);
  });

  test("are named by a function's parameters", () => {
    expect(ALL.find(({ name }) => name === "alibiBias")!.parameters).toEqual(["H", "T", "S"]);
    expect(optionsOf(parseScript("return alibiBias(4, 12, 12);")).map(({ label }) => label)).toEqual([
      "alibiBias · 1",
      "alibiBias · 2",
      "alibiBias · 3",
    ]);
    expect(optionsOf(parseScript("return tf.ones([2, 3]);"))).toEqual([]);
  });
});
