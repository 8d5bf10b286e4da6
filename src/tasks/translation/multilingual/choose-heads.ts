import type { Transformer } from "../../../models/transformer/transformer.ts";
import { type AlignmentHeads, alignments } from "./decode.ts";

/** Encoded pairs whose targets hold placeholders of their sources. */
export interface AlignedPair {
  source: readonly number[];
  target: readonly number[];
}

const BATCH = 64;

/**
 * The heads that say best where a copied value came from: of each layer every single head and the mean of all, the one whose
 * largest weight is most often on the placeholder that was copied.
 *
 * @returns the heads, and the share of placeholders that they find
 */
export function chooseHeads(
  model: Transformer,
  placeholders: ReadonlySet<number>,
  pairs: readonly AlignedPair[],
): { alignment: AlignmentHeads; share: number } {
  const { decoderLayers, heads: H } = model.config;
  const choices = Array.from({ length: decoderLayers }, (_, layer) => {
    const all = Array.from({ length: H }, (_, h) => h);
    return [{ layer, heads: all }, ...all.map((h) => ({ layer, heads: [h] }))];
  }).flat();
  const scored = choices.map((alignment) => ({
    alignment,
    share: shareFound(model, placeholders, pairs, alignment),
  }));
  return scored.reduce((best, one) => (one.share > best.share ? one : best));
}

function shareFound(
  model: Transformer,
  placeholders: ReadonlySet<number>,
  pairs: readonly AlignedPair[],
  heads: AlignmentHeads,
): number {
  let found = 0;
  let count = 0;
  for (let first = 0; first < pairs.length; first += BATCH) {
    const batch = pairs.slice(first, first + BATCH);
    const sources = batch.map(({ source }) => source);
    const targets = batch.map(({ target }) => target);
    for (const [b, rows] of alignments(model, sources, targets, heads).entries()) {
      for (const [t, id] of targets[b]!.entries()) {
        if (!placeholders.has(id)) continue;
        const row = rows[t]!;
        count++;
        if (sources[b]![row.indexOf(Math.max(...row))] === id) found++;
      }
    }
  }
  return count === 0 ? 0 : found / count;
}
