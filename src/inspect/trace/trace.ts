import type { MaskSpec } from "../mask.ts";
import type { TraceTensor } from "./tensor.ts";

/**
 * What the weights of one query must add up to; what they do not is refused with the query's name.
 *
 *     one         1, or 0 where a query sees nothing: softmax
 *     atMostOne   from 0 to 1: a softmax with a sink, or part of one
 *     dropped     from 0 upwards: weights after dropout
 *     free        anything finite: sigmoid attention, weights that were never normalised, signed weights
 */
export const ROW_SUMS = ["one", "atMostOne", "dropped", "free"] as const;
export type RowSums = (typeof ROW_SUMS)[number];

/** The steps from q·k to what meets the values. */
export const SCORE_STAGES = ["raw", "scaled", "biased", "masked", "probs", "dropped"] as const;
export type ScoreStage = (typeof SCORE_STAGES)[number];

/** One attention layer, as it is given. `T` and `S` are the lengths of its two token axes. */
export interface LayerInput {
  /** @default "layer 0" and so on */
  readonly name?: string;
  /** The names, in `tokens`, of queries and keys; twice the same in self-attention. */
  readonly alignQ: string;
  readonly alignK: string;
  /** @default "one" */
  readonly rowSums?: RowSums;
  /** Factor of q·k. @default 1/√D */
  readonly scale?: number;
  /** Squashes scaled scores into ±softCap. @default none */
  readonly softCap?: number;
  readonly maskSpec?: MaskSpec;
  /** Weights [H, T, S]; may be left out where q, k and lse are there. */
  readonly attn?: TraceTensor;
  /** [H, T, D] and [Hkv, S, D], H a multiple of Hkv. */
  readonly q?: TraceTensor;
  readonly k?: TraceTensor;
  /** The logarithm of each row's sum of exp(score) [H, T]; −∞ where a query sees nothing. */
  readonly lse?: TraceTensor;
  /** Added to the scores: [H or 1, T or 1, S]; −∞ hides a key. */
  readonly bias?: TraceTensor;
  /** True where a query may attend: [T, S] or [H, T, S]. */
  readonly mask?: TraceTensor;
  /** The norms of the values [Hkv, S]. */
  readonly vnorm?: TraceTensor;
  /** [H, T, S] each. */
  readonly scores?: { readonly [Stage in ScoreStage]?: TraceTensor };
  /** The loss's gradient by the weights [H, T, S]. */
  readonly grad?: TraceTensor;
  /** A small picture of each head [H, rows, columns], `u8log`. */
  readonly thumb?: TraceTensor;
}

/** The cells of an image: rows and columns of patches, their side in pixels, and the tokens before them. */
export interface ImageGrid {
  readonly height: number;
  readonly width: number;
  readonly patch: number;
  /** Tokens that are no patch, such as [CLS]; they come first. */
  readonly cls: number;
}

export type GlimpseSize = readonly [rows: number, columns: number];

export interface TraceInput {
  readonly name?: string;
  /** Named axes: `{ src: ["I", "am"], tgt: ["je", "suis"] }`. */
  readonly tokens: Readonly<Record<string, readonly string[]>>;
  readonly layers: readonly LayerInput[];
  /** The bytes of a PNG. */
  readonly image?: Uint8Array;
  readonly grid?: ImageGrid;
  /** One for each step: [6] (u, d, s: place, distance and deviation of the rows, then of the columns) or [2, 3] (θ). */
  readonly glimpses?: readonly TraceTensor[];
  /** Rows and columns of each glimpse: a Gaussian one reaches as far as it has them. */
  readonly glimpseSizes?: readonly GlimpseSize[];
  /** By name: [C], [T, C] or [height, width]. */
  readonly gates?: Readonly<Record<string, TraceTensor>>;
  /** What an importer found odd, in sentences for whoever draws it. No file keeps them. */
  readonly warnings?: readonly string[];
}

/** A layer whose shapes agree. */
export interface TraceLayer extends LayerInput {
  readonly index: number;
  readonly name: string;
  readonly H: number;
  readonly Hkv: number;
  readonly T: number;
  readonly S: number;
  /** The width of q and k; undefined where there are only weights. */
  readonly D: number | undefined;
  readonly rowSums: RowSums;
  readonly scores: { readonly [Stage in ScoreStage]?: TraceTensor };
}

/** What one pass through a model attended to. Immutable; `appendStep` gives a longer one. */
export interface Trace extends TraceInput {
  readonly layers: readonly TraceLayer[];
  readonly glimpses: readonly TraceTensor[];
  readonly gates: Readonly<Record<string, TraceTensor>>;
}
