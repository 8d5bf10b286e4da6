/**
 * The scores in plain loops and float64, forward and backward: the oracle of attention/score.
 * Queries [B, T, Dq] and keys [B, S, Dk] → scores [B, T, S].
 */
export interface ScoreSizes {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  readonly Dq: number;
  readonly Dk: number;
}

/** Arrays by name: `queries`, `keys` and the parameters of the score, or their gradients. */
export type ScoreArrays = Record<string, Float64Array>;

/** One query and one key, as places in the arrays. */
interface Pair {
  readonly q: number;
  readonly k: number;
  readonly j: number;
}

export class ReferenceScore {
  readonly #value: (a: ScoreArrays, pair: Pair, sizes: ScoreSizes) => number;
  readonly #gradient: (a: ScoreArrays, pair: Pair, sizes: ScoreSizes, dscore: number, d: ScoreArrays) => void;

  constructor(
    value: (a: ScoreArrays, pair: Pair, sizes: ScoreSizes) => number,
    gradient: (a: ScoreArrays, pair: Pair, sizes: ScoreSizes, dscore: number, d: ScoreArrays) => void,
  ) {
    this.#value = value;
    this.#gradient = gradient;
  }

  scores(sizes: ScoreSizes, arrays: ScoreArrays): Float64Array {
    const out = new Float64Array(sizes.B * sizes.T * sizes.S);
    eachPair(sizes, (pair, at) => {
      out[at] = this.#value(arrays, pair, sizes);
    });
    return out;
  }

  /** The gradients of Σ dscores·scores, one array per input. */
  gradients(sizes: ScoreSizes, arrays: ScoreArrays, dscores: ArrayLike<number>): ScoreArrays {
    const d: ScoreArrays = {};
    for (const [name, array] of Object.entries(arrays)) d[name] = new Float64Array(array.length);
    eachPair(sizes, (pair, at) => this.#gradient(arrays, pair, sizes, dscores[at]!, d));
    return d;
  }
}

function eachPair({ B, T, S, Dq, Dk }: ScoreSizes, visit: (pair: Pair, at: number) => void): void {
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < T; i++) {
      for (let j = 0; j < S; j++) visit({ q: (b * T + i) * Dq, k: (b * S + j) * Dk, j }, (b * T + i) * S + j);
    }
  }
}

/** scale · q·k */
export function referenceDot(scale = 1): ReferenceScore {
  return new ReferenceScore(
    ({ queries, keys }, { q, k }, { Dq }) => {
      let sum = 0;
      for (let d = 0; d < Dq; d++) sum += queries![q + d]! * keys![k + d]!;
      return scale * sum;
    },
    ({ queries, keys }, { q, k }, { Dq }, ds, d) => {
      for (let c = 0; c < Dq; c++) {
        d.queries![q + c]! += ds * scale * keys![k + c]!;
        d.keys![k + c]! += ds * scale * queries![q + c]!;
      }
    },
  );
}

/** scale · q·k / (‖q‖ ‖k‖) */
export function referenceCosine(scale = 1): ReferenceScore {
  const lengths = ({ queries, keys }: ScoreArrays, { q, k }: Pair, { Dq }: ScoreSizes) => {
    const query = queries!.subarray(q, q + Dq);
    const key = keys!.subarray(k, k + Dq);
    const cosine =
      query.reduce((sum, x, c) => sum + x * key[c]!, 0) / (Math.hypot(...query) * Math.hypot(...key));
    return { cosine, query: Math.hypot(...query), key: Math.hypot(...key) };
  };
  return new ReferenceScore(
    (arrays, pair, sizes) => scale * lengths(arrays, pair, sizes).cosine,
    (arrays, pair, sizes, ds, d) => {
      const { queries, keys } = arrays;
      const { cosine, ...length } = lengths(arrays, pair, sizes);
      for (let c = 0; c < sizes.Dq; c++) {
        const [x, y] = [queries![pair.q + c]! / length.query, keys![pair.k + c]! / length.key];
        d.queries![pair.q + c]! += (ds * scale * (y - cosine * x)) / length.query;
        d.keys![pair.k + c]! += (ds * scale * (x - cosine * y)) / length.key;
      }
    },
  );
}

/** −scale · ‖q − k‖² */
export function referenceL2(scale: number): ReferenceScore {
  return new ReferenceScore(
    ({ queries, keys }, { q, k }, { Dq }) => {
      let sum = 0;
      for (let c = 0; c < Dq; c++) sum += (queries![q + c]! - keys![k + c]!) ** 2;
      return -scale * sum;
    },
    ({ queries, keys }, { q, k }, { Dq }, ds, d) => {
      for (let c = 0; c < Dq; c++) {
        const change = -2 * scale * ds * (queries![q + c]! - keys![k + c]!);
        d.queries![q + c]! += change;
        d.keys![k + c]! -= change;
      }
    },
  );
}

/** qᵀ W k, with w [Dq, Dk] */
export function referenceGeneral(): ReferenceScore {
  return new ReferenceScore(
    ({ queries, keys, w }, { q, k }, { Dq, Dk }) => {
      let sum = 0;
      for (let x = 0; x < Dq; x++)
        for (let y = 0; y < Dk; y++) sum += queries![q + x]! * w![x * Dk + y]! * keys![k + y]!;
      return sum;
    },
    ({ queries, keys, w }, { q, k }, { Dq, Dk }, ds, d) => {
      for (let x = 0; x < Dq; x++) {
        for (let y = 0; y < Dk; y++) {
          const at = x * Dk + y;
          d.queries![q + x]! += ds * w![at]! * keys![k + y]!;
          d.keys![k + y]! += ds * queries![q + x]! * w![at]!;
          d.w![at]! += ds * queries![q + x]! * keys![k + y]!;
        }
      }
    },
  );
}

/** The hidden layer of `additive` and `concat`: the rows of the matrix that meet the query and the key. */
interface HiddenLayer {
  readonly query: (a: ScoreArrays, sizes: ScoreSizes) => Float64Array;
  readonly key: (a: ScoreArrays, sizes: ScoreSizes) => Float64Array;
}

/** v·tanh(W_k k + W_q q + b); b may be missing. Views of one matrix are allowed, so gradients add into the views. */
function referenceHidden(layer: HiddenLayer): ReferenceScore {
  const hidden = (arrays: ScoreArrays, { q, k }: Pair, sizes: ScoreSizes) => {
    const { queries, keys, v, b } = arrays;
    const wq = layer.query(arrays, sizes);
    const wk = layer.key(arrays, sizes);
    const A = v!.length;
    return Float64Array.from({ length: A }, (_, a) => {
      let sum = b ? b[a]! : 0;
      for (let x = 0; x < sizes.Dq; x++) sum += wq[x * A + a]! * queries![q + x]!;
      for (let y = 0; y < sizes.Dk; y++) sum += wk[y * A + a]! * keys![k + y]!;
      return Math.tanh(sum);
    });
  };
  return new ReferenceScore(
    (arrays, pair, sizes) => hidden(arrays, pair, sizes).reduce((sum, u, a) => sum + u * arrays.v![a]!, 0),
    (arrays, pair, sizes, ds, d) => {
      const { queries, keys, v } = arrays;
      const [wq, wk, dwq, dwk] = [
        layer.query(arrays, sizes),
        layer.key(arrays, sizes),
        layer.query(d, sizes),
        layer.key(d, sizes),
      ];
      const A = v!.length;
      hidden(arrays, pair, sizes).forEach((u, a) => {
        d.v![a]! += ds * u;
        const dsum = ds * v![a]! * (1 - u * u);
        if (d.b) d.b[a]! += dsum;
        for (let x = 0; x < sizes.Dq; x++) {
          dwq[x * A + a]! += dsum * queries![pair.q + x]!;
          d.queries![pair.q + x]! += dsum * wq[x * A + a]!;
        }
        for (let y = 0; y < sizes.Dk; y++) {
          dwk[y * A + a]! += dsum * keys![pair.k + y]!;
          d.keys![pair.k + y]! += dsum * wk[y * A + a]!;
        }
      });
    },
  );
}

/** v·tanh(W₁k + W₂q + b), with w1 [Dk, A], w2 [Dq, A], v [A], b [A] or none */
export function referenceAdditive(): ReferenceScore {
  return referenceHidden({ query: ({ w2 }) => w2!, key: ({ w1 }) => w1! });
}

/** v·tanh(W[q; k]), with w [Dq + Dk, A], v [A] */
export function referenceConcat(): ReferenceScore {
  const from = ({ w, v }: ScoreArrays, { Dq }: ScoreSizes) => w!.subarray(Dq * v!.length);
  return referenceHidden({ query: ({ w }) => w!, key: from });
}

/** (q W)_j, with w [Dq, Smax]: the content of the keys does not matter */
export function referenceLocation(longest: number): ReferenceScore {
  return new ReferenceScore(
    ({ queries, w }, { q, j }, { Dq }) => {
      let sum = 0;
      for (let x = 0; x < Dq; x++) sum += queries![q + x]! * w![x * longest + j]!;
      return sum;
    },
    ({ queries, w }, { q, j }, { Dq }, ds, d) => {
      for (let x = 0; x < Dq; x++) {
        d.queries![q + x]! += ds * w![x * longest + j]!;
        d.w![x * longest + j]! += ds * queries![q + x]!;
      }
    },
  );
}
