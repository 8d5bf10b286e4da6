import { readFileSync } from "node:fs";
import type { BleuScore } from "../../../src/train/metrics/bleu.ts";
import type { ChrfScore } from "../../../src/train/metrics/chrf.ts";

interface Scores {
  bleu: BleuScore;
  chrf: ChrfScore;
  chrfpp: ChrfScore;
}
export interface Segment extends Scores {
  hypothesis: string;
  references: string[];
  tokens: string[];
}
export interface Corpus extends Scores {
  name: string;
  hypotheses: string[];
  references: string[][];
}

const file: {
  sacrebleu: string;
  segments: Segment[];
  corpora: (Scores & { name: string; from: number; to: number; keep?: number })[];
} = JSON.parse(readFileSync(new URL("../../fixtures/metrics/sacrebleu.json", import.meta.url), "utf8"));

/** What sacreBLEU 2.5.1 says: tools/fixtures/metrics/make.py. */
export const segments = file.segments;
export const corpora: Corpus[] = file.corpora.map(({ from, to, keep, ...scores }) => {
  const rows = segments.slice(from, to);
  return {
    ...scores,
    hypotheses: rows.map((row) => row.hypothesis),
    references: rows.map((row) => row.references.slice(0, keep)),
  };
});

/** The fields in which two scores differ by more than 1e-9, with both values: empty when they agree. */
export function differences<T extends object>(got: T, expected: T): string[] {
  const fields = new Set([...Object.keys(got), ...Object.keys(expected)]);
  return [...fields].flatMap((field) => {
    const [a, b] = [got, expected].map((score) => [(score as Record<string, unknown>)[field]].flat());
    const equal =
      a!.length === b!.length &&
      a!.every((x, i) =>
        typeof x === "number" ? Math.abs(x - (b![i] as number)) <= 1e-9 : Object.is(x, b![i]),
      );
    return equal ? [] : [`${field}: ${a} is not ${b}`];
  });
}
