import { END, PAD, START } from "../../data/bpe.ts";

/** One output of a search. */
export interface Hypothesis {
  /** Target pieces, END not included. */
  ids: number[];
  /** Where each piece looked: one row of source weights a piece. */
  weights: Float32Array[];
  /** p_gen of each piece, where the model can copy. */
  generate?: number[];
  /** β of each piece, where the model weighs what it reads by a gate. */
  gate?: number[];
  /** Sum of the log-probabilities of the pieces, and of END where the output ended, in nats. */
  logProbability: number;
  /** `logProbability` over the length penalty: what hypotheses are ranked by. */
  score: number;
  /** False where the output was cut off at its longest length. */
  ended: boolean;
}

/** ((5 + length) / 6)^α of Wu et al. (arxiv.org/abs/1609.08144) §7, END counted. */
export function lengthPenaltyOf(length: number, alpha: number): number {
  return ((5 + length) / 6) ** alpha;
}

/** The largest logits of all rows, values and columns [N, count], largest first. */
export interface TopNumbers {
  readonly values: Float32Array;
  readonly columns: Int32Array;
  readonly count: number;
}

/** What one step says of all rows: logits [N, V], their log-sum-exp [N], weights [N, S], p_gen [N] where it can copy, β [N] where it has a gate. */
export interface StepNumbers {
  /** Where there is `top`, read for rows of which it has not enough alone. */
  readonly logits: Float32Array;
  readonly top?: TopNumbers;
  norms: Float32Array;
  weights: Float32Array;
  generate?: Float32Array;
  gate?: Float32Array;
}

/** A partial output: its last piece and a pointer to what came before. */
interface Node {
  id: number;
  weights: Float32Array;
  generate: number | undefined;
  gate: number | undefined;
  before: Node | undefined;
}

interface Live {
  node: Node | undefined;
  logProbability: number;
  length: number;
  restriction: Restriction | undefined;
}

interface Candidate {
  /** Which live hypothesis it goes on from. */
  from: number;
  id: number;
  logProbability: number;
}

/** Tokens that mean something to a search. */
export interface SearchTokens {
  /** What every output begins with. */
  readonly start: number;
  /** What ends an output. */
  readonly end: number;
  /** What no output may hold. */
  readonly never: readonly number[];
}

/** What may follow a partial output: a rule that goes along with it and never changes itself. */
export interface Restriction {
  allows(id: number): boolean;
  /** The rule once `id`, which it allows, has been written. */
  after(id: number): Restriction;
}

const OF_PIECES: SearchTokens = { start: START, end: END, never: [PAD, START] };

/** The hypotheses of one source. */
export class Beam {
  /** Number of the source in the batch. */
  readonly source: number;
  readonly #width: number;
  readonly #maxLength: number;
  readonly #alpha: number;
  readonly #tokens: SearchTokens;
  readonly #finished: Hypothesis[] = [];
  #live: Live[];

  constructor(
    source: number,
    width: number,
    maxLength: number,
    alpha: number,
    tokens = OF_PIECES,
    restriction?: Restriction,
  ) {
    this.source = source;
    this.#tokens = tokens;
    this.#width = width;
    this.#maxLength = maxLength;
    this.#alpha = alpha;
    // All rows begin alike, so all but one are dead: else a beam would hold one hypothesis many times.
    this.#live = Array.from({ length: width }, (_, k) => ({
      node: undefined,
      logProbability: k ? -Infinity : 0,
      length: 0,
      restriction,
    }));
  }

  /** The last piece of each live hypothesis. */
  get tokens(): number[] {
    return this.#live.map(({ node }) => node?.id ?? this.#tokens.start);
  }

  /** The finished hypotheses, best first, at most as many as the beam is wide. */
  get ranked(): Hypothesis[] {
    return this.#finished.sort((a, b) => b.score - a.score).slice(0, this.#width);
  }

  /**
   * Extends the hypotheses by a piece. A hypothesis finishes when END is among the `width` best continuations.
   *
   * @param row0 the row of the first hypothesis in the step's numbers
   * @returns the rows to go on from, or undefined when the source is done
   */
  advance(step: StepNumbers, row0: number): number[] | undefined {
    const columns = step.weights.length / step.norms.length;
    const live: Live[] = [];
    const rows: number[] = [];
    for (const [rank, { from, id, logProbability }] of this.#candidates(step, row0).entries()) {
      if (live.length === this.#width) break;
      const before = this.#live[from];
      const row = row0 + from;
      if (id === this.#tokens.end) {
        if (rank < this.#width) this.#finish(before.node, logProbability, before.length + 1, true);
        continue;
      }
      const weights = step.weights.slice(row * columns, (row + 1) * columns);
      const restriction = before.restriction?.after(id);
      live.push({
        node: { id, weights, generate: step.generate?.[row], gate: step.gate?.[row], before: before.node },
        logProbability,
        length: before.length + 1,
        restriction,
      });
      rows.push(row);
    }
    // Nothing may follow: what has ended is all there is.
    if (live.length === 0) return undefined;
    const cut = live[0].length >= this.#maxLength;
    if (cut && this.#finished.length === 0) {
      for (const { node, logProbability, length } of live) this.#finish(node, logProbability, length, false);
    }
    if (cut || this.#finished.length >= this.#width) return undefined;
    while (live.length < this.#width) {
      live.push({ ...live[0], logProbability: -Infinity });
      rows.push(rows[0]);
    }
    this.#live = live;
    return rows;
  }

  /** Every continuation that can matter, most likely first. */
  #candidates(step: StepNumbers, row0: number): Candidate[] {
    const candidates: Candidate[] = [];
    const { never } = this.#tokens;
    for (const [from, { logProbability, restriction }] of this.#live.entries()) {
      if (logProbability === -Infinity) continue;
      const row = row0 + from;
      const isOpen = (id: number) => !never.includes(id) && (restriction?.allows(id) ?? true);
      for (const { id, logit } of bestPieces(step, row, 2 * this.#width, isOpen)) {
        // What a model cannot write, such as the word of another source of its batch.
        if (logit === -Infinity) continue;
        candidates.push({ from, id, logProbability: logProbability + logit - step.norms[row] });
      }
    }
    return candidates.sort((a, b) => b.logProbability - a.logProbability);
  }

  #finish(last: Node | undefined, logProbability: number, length: number, ended: boolean): void {
    const ids: number[] = [];
    const weights: Float32Array[] = [];
    const generate: number[] = [];
    const gate: number[] = [];
    for (let node = last; node; node = node.before) {
      ids.push(node.id);
      weights.push(node.weights);
      if (node.generate !== undefined) generate.push(node.generate);
      if (node.gate !== undefined) gate.push(node.gate);
    }
    const score = logProbability / lengthPenaltyOf(length, this.#alpha);
    const steps = { ids: ids.reverse(), weights: weights.reverse() };
    const shares = {
      ...(generate.length > 0 && { generate: generate.reverse() }),
      ...(gate.length > 0 && { gate: gate.reverse() }),
    };
    this.#finished.push({ ...steps, ...shares, logProbability, score, ended });
  }
}

interface Piece {
  id: number;
  logit: number;
}

/** The `count` best next tokens of one row, best first, of those that are open; ties go to the smaller id. */
function bestPieces(
  step: StepNumbers,
  row: number,
  count: number,
  isOpen: (id: number) => boolean,
): readonly Piece[] {
  const { top } = step;
  if (top) {
    const best: Piece[] = [];
    for (let k = row * top.count; k < (row + 1) * top.count; k++) {
      const id = top.columns[k];
      if (!isOpen(id)) continue;
      best.push({ id, logit: top.values[k] });
      if (best.length === count) return best;
    }
  }
  const V = step.logits.length / step.norms.length;
  const logits = step.logits.subarray(row * V, (row + 1) * V);
  return bestOf(logits, count, isOpen).map((id) => ({ id, logit: logits[id] }));
}

function bestOf(logits: Float32Array, count: number, isOpen: (id: number) => boolean): number[] {
  const best: number[] = [];
  // The least of the best once there are enough, and until then a number that nothing is at most.
  let least = Number.NaN;
  for (let id = 0; id < logits.length; id++) {
    if (logits[id] <= least || !isOpen(id)) continue;
    let at = best.length === count ? count - 1 : best.length;
    while (at > 0 && logits[id] > logits[best[at - 1]]) {
      best[at] = best[at - 1];
      at--;
    }
    best[at] = id;
    if (best.length === count) least = logits[best[count - 1]];
  }
  return best;
}
