import { requireSegments } from "./segments.ts";

/**
 * The share of hypotheses, 0 … 1, that equal one of their references, character for character after `normalize`.
 *
 * @param hypotheses one text per segment
 * @param references per segment its references, one at least
 * @param options.normalize applied to both sides first; the default changes nothing
 * @throws DataError SHAPE for an empty corpus, unequal lengths, or a segment without reference
 *
 * @example
 * exactMatch(["Oui.", "non"], [["Oui.", "Ouais."], ["Non."]]); // 0.5
 */
export function exactMatch(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  { normalize = (text: string) => text }: { normalize?: (text: string) => string } = {},
): number {
  requireSegments("exactMatch", hypotheses, references);
  const equal = hypotheses.filter((hypothesis, i) => {
    const text = normalize(hypothesis);
    return references[i]!.some((reference) => normalize(reference) === text);
  });
  return equal.length / hypotheses.length;
}
