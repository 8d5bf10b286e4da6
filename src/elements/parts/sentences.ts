import { type Cells, MASKED, NOT_FINITE, VALUE } from "../../inspect/cells.ts";
import { visible } from "../../viz/text.ts";
import { graphemes } from "../../viz/width.ts";

/** Longer tokens are cut in sentences. */
const LONGEST = 40;
/** The share of a row's weight that its few strongest keys are counted for. */
const MOST_OF_IT = 0.6;

export function short(token: string): string {
  const all = graphemes(visible(token));
  return all.length > LONGEST ? `${all.slice(0, LONGEST - 1).join("")}…` : all.join("");
}

/** Three decimals; small weights as powers of ten, so that they do not look like 0. */
export function weightText(weight: number): string {
  const isPlain = weight === 0 || Math.abs(weight) >= 0.0005;
  return (isPlain ? weight.toFixed(3) : weight.toExponential(1)).replaceAll("-", "−");
}

/** The weights along one query or one key, with the tokens around them. */
export interface Line {
  readonly token: string;
  /** The tokens on the other axis. */
  readonly others: readonly string[];
  readonly cells: Cells;
}

/** What the ends of a line's weights are called, and what its token does to them. */
export interface Direction {
  readonly noun: "key" | "query";
  readonly nouns: string;
  readonly does: string;
  readonly can: string;
}
export const BY_QUERY: Direction = {
  noun: "key",
  nouns: "keys",
  does: "attends most to",
  can: "has nothing to attend to",
};
export const BY_KEY: Direction = {
  noun: "query",
  nouns: "queries",
  does: "is attended to most by",
  can: "is hidden from every query",
};

/** The `most` strongest keys of a row, the strongest first. */
export function strongest({ values, kinds }: Cells, most: number): number[] {
  const best: number[] = [];
  for (let s = 0; s < values.length; s++) {
    if (kinds[s] !== VALUE) continue;
    const last = best.at(-1);
    if (best.length === most && values[s]! <= values[last!]!) continue;
    let at = best.length;
    while (at > 0 && values[best[at - 1]!]! < values[s]!) at--;
    best.splice(at, 0, s);
    if (best.length > most) best.pop();
  }
  return best;
}

/** `query 5 “sat”, key 2 “cat”: weight 0.412, rank 1 of 13` */
export function cellSentence({ token, others, cells }: Line, query: number, key: number): string {
  const { values, kinds } = cells;
  const place = `query ${query} “${short(token)}”, key ${key} “${short(others[key]!)}”`;
  if (kinds[key] === MASKED) return `${place}: masked`;
  if (kinds[key] === NOT_FINITE) return `${place}: not a finite number`;
  let rank = 1;
  let seen = 0;
  for (let s = 0; s < values.length; s++) {
    if (kinds[s] === MASKED) continue;
    seen++;
    if (values[s]! > values[key]!) rank++;
  }
  return `${place}: weight ${weightText(values[key]!)}, rank ${rank} of ${seen}`;
}

/** `“sat” attends most to “cat” (0.412); 2 of 13 keys hold 61 %; 3 keys masked.` Or the same of a key. */
export function lineSentence({ token, others, cells }: Line, direction: Direction = BY_QUERY): string {
  const { noun, nouns, does, can } = direction;
  const [best] = strongest(cells, 1);
  const from = `“${short(token)}”`;
  if (best === undefined) return `${from} ${can}.`;
  const seen = cells.values.filter((_, s) => cells.kinds[s] === VALUE).sort();
  const total = seen.reduce((sum, weight) => sum + weight, 0);
  const hidden = cells.kinds.reduce((count, kind) => count + Number(kind === MASKED), 0);
  const parts = [`${from} ${does} “${short(others[best]!)}” (${weightText(cells.values[best]!)})`];
  if (seen[0]! >= 0 && total > 0) {
    let [held, count] = [0, 0];
    while (held < MOST_OF_IT * total && count < seen.length) held += seen[seen.length - 1 - count++]!;
    const hold =
      count === 1 && seen.length === 1
        ? `the only ${noun} holds`
        : `${count} of ${seen.length} ${nouns} ${count === 1 ? "holds" : "hold"}`;
    parts.push(`${hold} ${Math.round((100 * held) / total)} %`);
  }
  if (hidden > 0) parts.push(`${hidden} ${hidden === 1 ? noun : nouns} masked`);
  return `${parts.join("; ")}.`;
}
