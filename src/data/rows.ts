import { createHash } from "node:crypto";
import type { SentencePair } from "./tsv.ts";

const row = (pair: SentencePair): string => `${pair.source}\t${pair.target}`;

/**
 * Rows in the order of sha256(source), the rows of one source in the order of their targets' bytes: the same rows
 * always come in the same order, whatever order they arrived in, the rows of a source are adjacent, and the first
 * N are a random sample.
 */
export function hashedOrder(pairs: readonly SentencePair[]): SentencePair[] {
  const hashes = new Map<string, string>();
  for (const { source } of pairs) {
    if (!hashes.has(source)) hashes.set(source, createHash("sha256").update(source).digest("hex"));
  }
  return pairs
    .map((pair) => ({ pair, hash: hashes.get(pair.source)!, target: Buffer.from(pair.target) }))
    .sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : Buffer.compare(a.target, b.target)))
    .map(({ pair }) => pair);
}

/**
 * sha256 of the rows in byte order, each ended by a line feed: what
 * `zcat train.tsv.gz | LC_ALL=C sort | sha256sum` prints. Equal exactly when the rows are, in whatever order.
 */
export function rowsChecksum(pairs: readonly SentencePair[]): string {
  const hash = createHash("sha256");
  const rows = pairs.map((pair) => Buffer.from(`${row(pair)}\n`)).sort(Buffer.compare);
  for (const bytes of rows) hash.update(bytes);
  return hash.digest("hex");
}

/** Rows as the text of a .tsv file. */
export function formatPairs(pairs: readonly SentencePair[]): string {
  return pairs.map((pair) => `${row(pair)}\n`).join("");
}
