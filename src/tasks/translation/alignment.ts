/** Where a word's pieces begin and end (end excluded). */
export type Span = readonly [start: number, end: number];

/**
 * Piece-to-piece attention as word-to-word: the weight a target word gives a source word is what its pieces give
 * all pieces of it, averaged over the target word's pieces, so that rows stay distributions.
 *
 * @param weights one row a target piece, one column a source piece
 * @returns one row a target word, one column a source word
 */
export function mergeWeights(
  weights: ArrayLike<number>[],
  target: readonly Span[],
  source: readonly Span[],
): number[][] {
  return target.map(([from, to]) =>
    source.map(([start, end]) => {
      let sum = 0;
      for (let t = from; t < to; t++) for (let s = start; s < end; s++) sum += weights[t][s];
      return sum / (to - from);
    }),
  );
}

/** The matrices of consecutive parts of a text as one: each part's words look only at its own source. */
export function blockDiagonal(blocks: number[][][], columns: number[]): number[][] {
  const width = columns.reduce((sum, n) => sum + n, 0);
  const rows: number[][] = [];
  let before = 0;
  for (const [i, block] of blocks.entries()) {
    for (const row of block) {
      const wide = new Array<number>(width).fill(0);
      row.forEach((weight, j) => {
        wide[before + j] = weight;
      });
      rows.push(wide);
    }
    before += columns[i];
  }
  return rows;
}
