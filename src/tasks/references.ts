import type { SentencePair } from "../data/tsv.ts";

/** One source with every target that the data has of it: translations of a sentence, summaries of a text. */
export interface Referenced {
  source: string;
  references: string[];
}

/** Rows of one source stand together in a split: one entry a source, all its targets as references. */
export function groupReferences(pairs: readonly SentencePair[]): Referenced[] {
  const groups = new Map<string, string[]>();
  for (const { source, target } of pairs) {
    const references = groups.get(source);
    if (references) references.push(target);
    else groups.set(source, [target]);
  }
  return Array.from(groups, ([source, references]) => ({ source, references }));
}
