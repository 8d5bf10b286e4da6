import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { Beam, type Restriction, type StepNumbers } from "../../../src/models/seq2seq/beam.ts";

const V = 53;
const TOKENS = { start: 1, end: 2, never: [0, 1] };

/** Logits of K rows, in quarters so that many are equal, and what a step says of them. */
function numbersOf(random: RandomStream, K: number) {
  const logits = Float32Array.from({ length: K * V }, () => Math.round(8 * random.normal()) / 4);
  const rows = Array.from({ length: K }, (_, k) => [...logits.subarray(k * V, (k + 1) * V)]);
  const norms = Float32Array.from(rows, (row) => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)));
  return { rows, step: { logits, norms, weights: new Float32Array(0) } };
}

/** The same with the largest `count` of each row, and a count of how often all logits are read. */
function withTop(rows: number[][], step: StepNumbers, count: number) {
  const columns = rows.map((row) =>
    row
      .map((_, v) => v)
      .sort((a, b) => row[b]! - row[a]!)
      .slice(0, count),
  );
  const values = Float32Array.from(columns.flatMap((own, k) => own.map((v) => rows[k]![v]!)));
  let reads = 0;
  const given: StepNumbers = {
    ...{ norms: step.norms, weights: step.weights },
    top: { values, columns: Int32Array.from(columns.flat()), count },
    get logits() {
      reads++;
      return step.logits;
    },
  };
  return { given, reads: () => reads };
}

/** Outputs hold tokens of some remainders alone, another after each token. */
const every = (n: number, rest: number): Restriction => ({
  allows: (id) => id === TOKENS.end || id % n === rest,
  after: (id) => every(n, (rest + id) % n),
});

test.each([
  ["none is closed, so the largest do", 1, false],
  ["nine of ten are closed, so all logits are read", 10, true],
] as const)("the largest logits of each row choose what all of them do: %s", (_, n, isRead) => {
  const random = new RandomStream(3);
  for (const K of [1, 3, 4]) {
    const [all, few] = [0, 1].map(() => new Beam(0, K, 7, 1, TOKENS, every(n, 0)));
    let reads = 0;
    for (;;) {
      const { rows, step } = numbersOf(random, K);
      const { given, reads: read } = withTop(rows, step, 2 * K + 6);
      const wanted = all!.advance(step, 0);
      expect(few!.advance(given, 0)).toEqual(wanted);
      reads += read();
      if (!wanted) break;
      expect(few!.tokens).toEqual(all!.tokens);
    }
    expect(few!.ranked).toEqual(all!.ranked);
    expect(reads > 0).toBe(isRead);
  }
});
