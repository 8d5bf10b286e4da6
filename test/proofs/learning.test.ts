import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Claim, passes } from "../../proofs/claim.ts";
import { CLAIMS } from "../../proofs/claims.ts";
import { formatted, type Measured, withMeasured } from "../../proofs/learning.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const measured = JSON.parse(read("proofs/measured.json")) as Measured;
const learning = read("docs/LEARNING.md");

describe("what was measured", () => {
  test("is there for every claim, and for nothing else", () => {
    expect(Object.keys(measured).sort()).toEqual(CLAIMS.map(({ name }) => name).sort());
  });

  test.each(CLAIMS.map((claim) => [claim.name, claim] as const))("reaches %s", (_, { name, thresholds }) => {
    const metrics = measured[name]!;
    expect(thresholds.filter((threshold) => !passes(metrics[threshold.metric], threshold))).toEqual([]);
  });

  test("stands in docs/LEARNING.md, a line for each claim, with its thresholds", () => {
    const lines = [...learning.matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => match[1]!);
    const claims = lines.filter((name) => name.includes("/"));
    expect(claims.toSorted()).toEqual(CLAIMS.map(({ name }) => name).sort());
    expect(withMeasured(learning, CLAIMS, measured)).toBe(learning);
  });
});

describe("docs/CHOOSING.md", () => {
  const choosing = read("docs/CHOOSING.md");
  const cells = (start: string) =>
    choosing
      .split("\n")
      .find((line) => line.startsWith(`| ${start}`))!
      .split("|")
      .slice(2, -1)
      .map((text) => text.trim());

  test("shows the entropies that were measured", () => {
    const { "guidelines/score-scale": metrics } = measured;
    const shown = (kind: string) => [16, 64, 256, 512].map((D) => metrics![`${kind}${D}`]!.toFixed(3));
    expect(cells("scale 1/√D")).toEqual(shown("scaled"));
    expect(cells("scale 1 (dot)")).toEqual(shown("unscaled"));
  });

  test("shows how fast batches were trained on", () => {
    const { "guidelines/batches": metrics } = measured;
    const rows = {
      padded: "`makeBatches`, `bucketed: false`",
      bucketed: "`makeBatches` ",
      packed: "`makePackedBatches` with `packBatch`",
    };
    for (const [way, start] of Object.entries(rows)) {
      expect(cells(start)).toEqual([
        `${(100 * metrics![`${way}Padding`]!).toFixed(0)} %`,
        (Math.round(metrics![`${way}Tokens`]! / 100) * 100).toLocaleString("en"),
        way === "padded" ? "1" : metrics![`${way}Gain`]!.toFixed(1),
      ]);
    }
  });

  test("shows what was measured of depth and precision", () => {
    const { "guidelines/gradient-norms": depth, "guidelines/mixed-precision": precision } = measured;
    const tenths = (metric: string) => depth![metric]!.toFixed(1);
    const [before, after] = ["preNorm", "postNorm"].map((kind) =>
      [`${kind}Least`, `${kind}Most`].map(tenths).join(" to "),
    );
    expect(choosing).toContain(`the first one's gradient is ${before} times the last`);
    expect(choosing).toContain(`with norms after sublayers ${after} times`);
    for (const run of ["float32", "float16", "bfloat16", "tinyScaled"]) {
      expect(precision![run]!.toFixed(3)).toBe("1.118");
    }
    expect(choosing).toContain("at the same loss in all three, 1.118 nats");
    expect(choosing).toContain(`it ends at ${precision!.tinyUnscaled!.toFixed(3)}, worse than`);
  });

  test("shows what was found across 4096 positions", () => {
    const { "sparse/lookup": metrics } = measured;
    const rows = {
      dense: "dense",
      "`topKAttention`, 16": "topK",
      "`lshAttention`, 8": "lsh",
      "`longformerAttention`, window 256, the asking": "longformerAsking",
      "`nativeSparseAttention`": "nativeSparse",
      "`bigBirdAttention`": "bigBird",
      "`fixedAttention`": "fixed",
      "`stridedAttention`": "strided",
      "`longformerAttention`, window 256, a class": "longformer",
      "a window of 256": "window",
    };
    for (const [start, name] of Object.entries(rows)) {
      const reach = metrics![`${name}Reach`];
      expect(cells(start)).toEqual([metrics![name]!.toFixed(2), reach === undefined ? "" : reach.toFixed(2)]);
    }
  });
});

describe("tables of claims", () => {
  const claim: Claim = {
    name: "swap/dot",
    claim: "It learns.",
    thresholds: [{ metric: "exact", atLeast: 0.9, atMost: 1 }],
    quick: false,
    measure: async () => ({}),
  };
  const table =
    "Before.\n\n| Claim | exact | What it says | Metrics |\n| - | - | - | - |\n| `swap/dot` | | | |\n\nAfter.\n";

  test("are filled from what was measured, and nothing around them changes", () => {
    expect(withMeasured(table, [claim], { "swap/dot": { exact: 0.95, aer: 1e-9, count: 12 } })).toBe(
      [
        "Before.\n",
        "| Claim      | exact              | What it says | Metrics                                      |",
        "| ---------- | ------------------ | ------------ | -------------------------------------------- |",
        "| `swap/dot` | 0.950 (≥ 0.9, ≤ 1) | It learns.   | exact 0.950 (≥ 0.9, ≤ 1), aer 1e-9, count 12 |",
        "\nAfter.\n",
      ].join("\n"),
    );
  });

  test("refuse a line for a claim that is none", () => {
    expect(() => withMeasured(table, [], {})).toThrow(
      'prove: docs/LEARNING.md has a line for "swap/dot", which is no claim',
    );
  });

  test("show metrics with three digits, fewer where they are large, a power where they are tiny", () => {
    expect([1, 0.98765, 12.345, 4096, 3, 0, 4.4e-5, 0.00132, -0.441].map(formatted)).toEqual([
      "1.000",
      "0.988",
      "12.3",
      "4096",
      "3",
      "0.000",
      "4e-5",
      "0.0013",
      "-0.441",
    ]);
  });
});
