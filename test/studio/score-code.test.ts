/** The page that traces score functions: its texts are heed's own classics, its pictures are what heed computes. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { keyOf } from "../../src/core/expression/expression.ts";
import * as classics from "../../src/core/expression/presets/index.ts";
import { type MaskMod, type ScoreMod, traceMaskMod, traceScoreMod } from "../../src/core/expression/trace.ts";
import type { ArrayInfo } from "../../src/core/notation.ts";
import { parseMath } from "../../studio/math/parse.ts";
import { answerScore } from "../../studio/playground/score/answer.ts";
import { SCORE_PRESETS } from "../../studio/playground/score/presets.ts";
import type { ScoreAnswer } from "../../studio/playground/score/protocol.ts";
import { Interpreter } from "../../studio/script/interpret.ts";
import { parseScript, ScriptError } from "../../studio/script/parse.ts";
import { scopeWith } from "../../studio/script/table.ts";
import { apart, type Nested, runCopied } from "../support/copied-code.ts";

const SIZES = { T: 7, S: 8, H: 2, D: 4, seed: 3 };
const answer = (text: string) => answerScore({ do: "score", text, sizes: SIZES, head: 1, block: 2 });

/** What each text must be, with the numbers that it begins with. */
const SAME: Record<string, ScoreMod | MaskMod> = {
  alibi: classics.alibiScoreMod(2),
  "learned-alibi": classics.learnedAlibiScoreMod,
  relative: classics.relativeScoreMod(2),
  t5: classics.t5ScoreMod(8),
  "soft-cap": classics.softCapScoreMod(1.5),
  temperature: classics.temperatureScoreMod,
  gain: classics.gainScoreMod,
  "sigmoid-gate": classics.sigmoidGateScoreMod,
  position: classics.positionScoreMod,
  forgetting: classics.forgettingScoreMod,
  kerple: classics.kerpleScoreMod,
  gaussian: classics.gaussianScoreMod(1.5),
  "log-length": classics.logLengthScoreMod(4),
  causal: classics.causalMaskMod(0),
  window: classics.windowMaskMod(2, 1),
  dilated: classics.dilatedMaskMod(2, 2),
  strided: classics.stridedMaskMod(3),
  document: classics.documentMaskMod,
  "causal-document": classics.causalDocumentMaskMod,
  prefix: classics.prefixMaskMod,
  padding: classics.paddingMaskMod,
  neighbourhood: classics.neighbourhoodMaskMod(4, 1),
  block: classics.blockMaskMod(3),
  streaming: classics.streamingMaskMod(1, 3),
  global: classics.globalMaskMod(1, 1),
  tree: classics.treeMaskMod,
};

/** The expression of a text's function, and of heed's. */
function traced(text: string, own: ScoreMod | MaskMod): [string, string] {
  const scope = scopeWith({});
  new Interpreter().run(parseScript(text).body, scope);
  const tensors = (scope.own.includes("tensors") ? scope.read("tensors") : {}) as Record<string, ArrayInfo>;
  const isScore = scope.own.includes("scoreMod");
  const trace = (f: unknown) =>
    isScore
      ? traceScoreMod("attention", f as ScoreMod, tensors)
      : traceMaskMod("attention", f as MaskMod, tensors);
  const written = trace(scope.read(isScore ? "scoreMod" : "maskMod"));
  return [keyOf([written.root]), keyOf([trace(own).root])];
}

/** Runs the text of the reference as JavaScript, which this test may and no page does. */
function checkReference(name: string, text: string, { reference, scores, changed }: ScoreAnswer): void {
  const wanted = ["scoreMod", "maskMod"].filter((one) => reference.includes(`function ${one}(`));
  const { scoreMod, maskMod } = new Function(`${reference}\nreturn { ${wanted.join(", ")} };`)() as Record<
    string,
    ((score: number, place: object, tensors: object) => number) | undefined
  >;
  const scope = scopeWith({});
  tf.engine().startScope();
  new Interpreter().run(parseScript(text).body, scope);
  const given = scope.own.includes("tensors") ? (scope.read("tensors") as Record<string, tf.Tensor>) : {};
  const tensors = Object.fromEntries(
    Object.entries(given).map(([key, x]) => [key, { shape: x.shape, values: x.dataSync() }]),
  );
  tf.engine().endScope();
  for (const [q, row] of scores.entries())
    for (const [k, score] of row.entries()) {
      const place = { b: 0, h: 1, q, k };
      const isSeen = maskMod ? maskMod(score, place, tensors) : true;
      const expected = scoreMod ? scoreMod(score, place, tensors) : score;
      const shown = changed[q]![k]!;
      if (isSeen) expect(Math.abs(shown - expected), `${name} ${q} ${k}`).toBeLessThan(1e-12);
      else expect(shown, `${name} ${q} ${k}`).toBe(Number.NEGATIVE_INFINITY);
    }
}

describe("the texts to begin with", () => {
  test("are the classics of heed, all of them", () => {
    expect(SCORE_PRESETS.map(({ name }) => name).sort()).toEqual(Object.keys(SAME).sort());
    expect(SCORE_PRESETS.length).toBe(Object.keys(classics).length);
    for (const { name, text } of SCORE_PRESETS) {
      const [written, own] = traced(text, SAME[name]!);
      expect(written, name).toBe(own);
    }
  });

  test("have a formula that can be set, a reference that computes what is shown, blocks that hide nothing", () => {
    tf.setBackend("cpu");
    const before = tf.memory().numTensors;
    for (const { name, text } of SCORE_PRESETS) {
      const found = answer(text);
      for (const { source } of found.formulas)
        expect(() => parseMath(source), `${name}: ${source}`).not.toThrow();
      checkReference(name, text, found);
      for (const [i, row] of found.changed.entries())
        for (const [j, score] of row.entries()) {
          const block = found.blocks[Math.floor(i / 2)]![Math.floor(j / 2)]!;
          if (block === 0) expect(score, `${name} ${i} ${j}`).toBe(Number.NEGATIVE_INFINITY);
          if (block === 1) expect(score, `${name} ${i} ${j}`).not.toBe(Number.NEGATIVE_INFINITY);
        }
    }
    // The texts' own tensors are freed with the rest.
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("the copied code", () => {
  test("of every text gives in Node, on heed’s own kernels, what the page shows", () => {
    tf.setBackend("cpu");
    const answers = SCORE_PRESETS.map(({ text }) => answer(text));
    const programs = answers.map(({ code }) => ({ code, shows: { weights: "weights", output: "output" } }));
    const wrong = runCopied(programs).flatMap(({ weights, output }, n) => {
      const { shown } = answers[n]!;
      const difference = Math.max(
        apart(shown.weights as Nested, weights!),
        apart(shown.output as Nested, output!),
      );
      return difference <= 1e-5 ? [] : [{ name: SCORE_PRESETS[n]!.name, difference }];
    });
    expect(wrong).toEqual([]);
  });

  test("skips blocks whose scores are −∞ as it skips those that a mask hides", () => {
    const { blocks, changed } = answer(
      "const scoreMod = (score, { q, k }) => k.greater(q).select(-Infinity, score);",
    );
    // There is no mask to ask in the first block: its scores say it all.
    expect(blocks[0]).toEqual([1, 0, 0, 0]);
    expect(changed[0]!.slice(1)).toEqual(new Array(7).fill(Number.NEGATIVE_INFINITY));
  });

  test("gives sliders for the numbers at its top, in the ranges that are written", () => {
    const text =
      "const cap = 1.5; // 0.25 to 10\nconst n = 3;\nconst scoreMod = (score) => score.mul(cap).add(n);";
    expect(answer(text).constants).toEqual([
      { name: "cap", value: 1.5, start: 12, end: 15, least: 0.25, most: 10, step: 0.1 },
      { name: "n", value: 3, start: 41, end: 42, least: 0, most: 8, step: 1 },
    ]);
  });
});

describe("a text that is wrong", () => {
  const cases: [what: string, text: string, line: number, message: RegExp][] = [
    [
      "has an operator",
      "const scoreMod = (score) =>\n  score + 1;",
      2,
      /^\+ cannot be written .* write x\.add\(y\)/,
    ],
    ["compares as JavaScript does", "const maskMod = ({ q, k }) => q >= k;", 1, /write x\.greaterEqual\(y\)/],
    [
      "chooses with ?:",
      "const scoreMod = (score, { q, k }) =>\n  q.less(k) ? score : 0;",
      2,
      /^\?: cannot see .* write condition\.select\(a, b\)/,
    ],
    [
      "branches with if",
      "const scoreMod = (score, { q, k }) => {\n\n  if (q.less(k)) return 0;\n  return score;\n};",
      3,
      /^if cannot see .*select/,
    ],
    ["joins with &&", "const maskMod = ({ q, k }) => k.less(3) && k.lessEqual(q);", 1, /write a\.and\(b\)/],
    [
      "leaves a comparison unread",
      "const scoreMod = (score) => {\n  score.less(1);\n  return score;\n};",
      2,
      /Nothing reads/,
    ],
    [
      "calls what is none",
      "const scoreMod = (score) => score.sinh();",
      1,
      /\.sinh is not offered here; there are add, /,
    ],
    [
      "reads a tensor that is none",
      "const scoreMod = (score, _, { slope }) => score;",
      1,
      /must read tensors that are given to it/,
    ],
    [
      "gives too few indices",
      "const tensors = { t: tf.ones([2, 3]) };\nconst scoreMod = (score, { h }, { t }) => score.add(t.at(h));",
      2,
      /t\.at one index for each axis of \[2, 3\], got 1; pass 2$/,
    ],
    [
      "forgets return",
      "const a = 1;\nconst scoreMod = (score) => {\n  score.add;\n};",
      2,
      /needs the word return/,
    ],
    [
      "is no TypeScript",
      "const scoreMod = (score) => score.mul(;",
      1,
      /^This is no TypeScript: Unexpected token/,
    ],
    [
      "has what TypeScript alone can run",
      "const a = 1;\nenum Kind { Near }\nconst scoreMod = (score) => score;",
      2,
      /^enum declaration is not offered/,
    ],
    ["ends within a type", "const cap: = 2;", 1, /^This is no TypeScript/],
    ["declares nothing", "const x = 1;", 1, /^Write const scoreMod = /],
    [
      "takes a name of the program",
      "const keys = 1;\nconst scoreMod = (score) => score;",
      1,
      /keys is a name/,
    ],
    [
      "has Math on a traced value",
      "const scoreMod = (score) => Math.exp(score);",
      1,
      /must not use \+, -, <, Math/,
    ],
  ];
  test.each(cases)("is refused with its line: one that %s", (_, text, line, message) => {
    let found: unknown;
    try {
      answer(text);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(ScriptError);
    const { message: said, line: at } = found as ScriptError;
    expect(said).toMatch(message);
    expect(said).not.toMatch(/\.ts|\.js:|file:/);
    expect(at).toBe(line);
  });

  test("may have types, which say nothing", () => {
    const [plain, typed] = [
      "const tensors = { slope: tf.scalar(0.5) };\nconst cap = 3;\nconst scoreMod = (score, { q, k }, { slope }) => score.add(q.sub(k).mul(slope.at())).min(cap);",
      "declare const other: number;\ntype Slopes = Record<string, Captured>;\ninterface Named { name: string }\nconst tensors = { slope: tf.scalar(0.5) } satisfies Slopes;\nconst cap: number = 3 as const;\nconst scoreMod = (score: Traced, { q, k }: Indices, { slope }: Slopes = {} as Slopes): Traced => score.add(q!.sub(<Traced>k).mul(slope!.at())).min(cap!);",
    ];
    const [a, b] = [answer(plain), answer(typed)];
    expect(b.changed).toEqual(a.changed);
    expect(b.output).toEqual(a.output);
    expect(b.code).toContain("{ q, k }: Indices");
  });

  test("may have the ! of TypeScript, which says nothing", () => {
    const text = SCORE_PRESETS.find(({ name }) => name === "learned-alibi")!.text.replace(
      "slopes.at",
      "slopes!.at",
    );
    expect(answer(text).formulas[0]!.source).toBe('"score′" = score − slopes_{h} · |k − q|');
  });
});
