import { type Cells, MASKED, NOT_FINITE, VALUE } from "../../inspect/cells.ts";
import { visible } from "../../viz/text.ts";
import { truncate } from "../../viz/width.ts";

/** Longer tokens are cut in sentences. */
const LONGEST = 40;
/** The share of a row's weight that its few strongest keys are counted for. */
const MOST_OF_IT = 0.6;

export const short = (token: string): string => truncate(visible(token), LONGEST);

/** Three decimals; small weights as powers of ten, so that they do not look like 0. */
export function weightText(weight: number): string {
  const isPlain = weight === 0 || Math.abs(weight) >= 0.0005;
  return (isPlain ? weight.toFixed(3) : weight.toExponential(1)).replaceAll("-", "−");
}

/** A row of weights with the tokens around it. */
export interface Row {
  readonly query: number;
  readonly token: string;
  readonly columnTokens: readonly string[];
  readonly cells: Cells;
}

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
export function cellSentence({ query, token, columnTokens, cells }: Row, key: number): string {
  const { values, kinds } = cells;
  const place = `query ${query} “${short(token)}”, key ${key} “${short(columnTokens[key]!)}”`;
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

/** `“sat” attends most to “cat” (0.412); 2 of 13 keys hold 61 %; 3 keys masked.` */
export function rowSentence({ token, columnTokens, cells }: Row): string {
  const [best] = strongest(cells, 1);
  const from = `“${short(token)}”`;
  if (best === undefined) return `${from} has nothing to attend to.`;
  const seen = cells.values.filter((_, s) => cells.kinds[s] === VALUE).sort();
  const total = seen.reduce((sum, weight) => sum + weight, 0);
  const hidden = cells.kinds.reduce((count, kind) => count + Number(kind === MASKED), 0);
  const parts = [
    `${from} attends most to “${short(columnTokens[best]!)}” (${weightText(cells.values[best]!)})`,
  ];
  if (seen[0]! >= 0 && total > 0) {
    let [held, keys] = [0, 0];
    while (held < MOST_OF_IT * total && keys < seen.length) held += seen[seen.length - 1 - keys++]!;
    const noun =
      keys === 1 && seen.length === 1
        ? "the only key holds"
        : `${keys} of ${seen.length} keys ${keys === 1 ? "holds" : "hold"}`;
    parts.push(`${noun} ${Math.round((100 * held) / total)} %`);
  }
  if (hidden > 0) parts.push(`${hidden} ${hidden === 1 ? "key" : "keys"} masked`);
  return `${parts.join("; ")}.`;
}
