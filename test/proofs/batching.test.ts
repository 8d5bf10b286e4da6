import { expect, test } from "vitest";
import { batchesOf, drawSentences, throughput } from "../../proofs/batching/throughput.ts";

const SIZES = { pairs: 211, tokens: 300, rounds: 1, width: 8, layers: 1, vocabulary: 31, maxTokens: 512 };

test("batches hold the same sentences, however they are put together", () => {
  const pairs = drawSentences(SIZES);
  const lengths = pairs.map(({ source }) => source.length).sort((a, b) => a - b);
  expect(lengths[105]).toBeGreaterThanOrEqual(11);
  expect(lengths[105]).toBeLessThanOrEqual(15);
  const sums = (["padded", "bucketed", "packed"] as const).map((way) =>
    batchesOf(pairs, way, 512).flatMap(({ source, target }) => [
      source.ids.reduce((sum, id) => sum + id, 0),
      target.ids.reduce((sum, id) => sum + id, 0),
    ]),
  );
  const whole = sums.map((ways) => ways.reduce((sum, n) => sum + n, 0));
  expect(new Set(whole).size).toBe(1);
});

test("all three are timed on whole steps of training", async () => {
  const shares: number[] = [];
  const metrics = await throughput((share) => shares.push(share), SIZES);
  expect(shares.at(-1)).toBe(1);
  expect(metrics.paddedPadding).toBeGreaterThan(0.3);
  expect(metrics.bucketedPadding).toBeLessThan(metrics.paddedPadding!);
  expect(metrics.packedPadding).toBeLessThan(0.15);
  for (const way of ["padded", "bucketed", "packed"]) expect(metrics[`${way}Tokens`]).toBeGreaterThan(0);
});
