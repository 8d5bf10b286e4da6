/**
 * Runs a model over sequences in batches of similar length, so that little is padding, and returns the results in the order
 * of the sequences.
 */
export function byLength<S extends { readonly length: number }, R>(
  sequences: readonly S[],
  size: number,
  run: (batch: S[], numbers: number[]) => R[],
): R[] {
  const order = sequences.map((_, i) => i).sort((a, b) => sequences[a]!.length - sequences[b]!.length);
  const results: R[] = [];
  for (let first = 0; first < order.length; first += size) {
    const numbers = order.slice(first, first + size);
    const found = run(
      numbers.map((i) => sequences[i]!),
      numbers,
    );
    for (const [k, i] of numbers.entries()) results[i] = found[k]!;
  }
  return results;
}
