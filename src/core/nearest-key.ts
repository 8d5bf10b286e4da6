/** A key in lower case without the marks that other languages join words with. */
const plain = (key: string) => key.replace(/[_-]/g, "").toLowerCase();

/** The least number of letters added, removed or replaced that make `b` of `a`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length]!;
}

/**
 * The known key that a mistyped one stands for: the one with the fewest letters to change, at most a third of them and
 * at most two beyond upper case and underscores; `undefined` where none is as near.
 *
 * @example
 * nearestKey("casual", ["scale", "causal"]); // "causal"
 */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  const word = plain(key);
  let least = Math.min(2, Math.floor(word.length / 3)) + 1;
  let nearest: string | undefined;
  for (const candidate of known) {
    const distance = editDistance(word, plain(candidate));
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}
