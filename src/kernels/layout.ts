import type { ModifiedOptions } from "../core/modified-program.ts";
import type { AttentionShapes, HostArray } from "../core/notation.ts";

export type FloatArray = Float32Array | Float64Array;

/** The sizes of a call; Hkv is H and Dv is D unless given. */
export type AttentionSizes = Omit<AttentionShapes, "Hkv" | "Dv"> &
  Partial<Pick<AttentionShapes, "Hkv" | "Dv">>;

export interface AttentionOptions extends ModifiedOptions<HostArray> {
  /** Order of the axes of q, k, v and of what comes back. `allow`, `bias` and weights are [B, H, T, S] in all; packed, T and S are there those of the longest sequence. @default "bhtd" */
  layout?: Layout;
  /** Returns the weights too: B·H·T·S more numbers, before dropout and without the sink's share. @default false */
  weights?: boolean;
}

/**
 * How the rows of q, k, v and their like stand in memory. The kernels read and write any of these in place.
 *
 *     "bhtd"   [B, H, T, D]     PyTorch
 *     "bthd"   [B, T, H, D]     JAX, Keras, flash-attention
 *     "thd"    [ΣT, H, D]       packed: sequences of T_b rows one after another, flash-attention's varlen
 */
export type Layout = "bhtd" | "bthd" | "thd";

export const LAYOUTS: readonly Layout[] = ["bhtd", "bthd", "thd"];

/** The rows of one operand: those of queries (H heads, T rows) or those of keys (Hkv heads, S rows). */
export class RowLayout {
  readonly layout: Layout;
  readonly heads: number;
  /** Rows of a head. Packed sequences have each their own number. */
  readonly length: number;
  /** Packed: the row at which each sequence begins, and their total. */
  readonly starts: readonly number[] | undefined;

  constructor(layout: Layout, heads: number, length: number, lengths?: ArrayLike<number>) {
    this.layout = layout;
    this.heads = heads;
    this.length = length;
    if (layout !== "thd") return;
    const starts = [0];
    for (const n of Array.from(lengths!)) starts.push(starts.at(-1)! + n);
    this.starts = starts;
  }

  /** Numbers from one row of a head to the next. */
  step(width: number): number {
    return this.layout === "bhtd" ? width : this.heads * width;
  }

  /** The number at which row 0 of head (b, h) begins. Examples follow one another in every layout. */
  start(b: number, h: number, width: number): number {
    const { heads, length } = this;
    if (this.layout === "bhtd") return (b * heads + h) * length * width;
    const row = this.starts ? this.starts[b]! : b * length;
    return (row * heads + h) * width;
  }

  /** Where row (b, h, i) has its one number in an array like lse: [B, H, T], or [H, ΣT] when packed. */
  index(b: number, h: number, i: number): number {
    if (this.starts) return h * this.starts.at(-1)! + this.starts[b]! + i;
    return (b * this.heads + h) * this.length + i;
  }

  /** Rows of all heads of B examples. */
  rows(B: number): number {
    return (this.starts ? this.starts[B]! : B * this.length) * this.heads;
  }
}

/** The rows of queries and of keys of a call. */
export interface CallLayout {
  readonly queries: RowLayout;
  readonly keys: RowLayout;
}

export function callLayout(
  layout: Layout,
  { H, Hkv, T, S }: AttentionShapes,
  queryLengths?: ArrayLike<number>,
  keyLengths?: ArrayLike<number>,
): CallLayout {
  return {
    queries: new RowLayout(layout, H, T, queryLengths),
    keys: new RowLayout(layout, Hkv, S, keyLengths),
  };
}

interface Sizes {
  readonly B: number;
  /** Valid rows of example b. */
  readonly valid: (b: number) => number;
  readonly width: number;
}

/** Copies rows from one layout to another; rows beyond the valid ones stay 0. */
export function relayout<A extends Float32Array | Float64Array>(
  from: RowLayout,
  to: RowLayout,
  x: A,
  { B, valid, width }: Sizes,
): A {
  const out = new (x.constructor as new (n: number) => A)(to.rows(B) * width);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < from.heads; h++) {
      const [source, target] = [from.start(b, h, width), to.start(b, h, width)];
      for (let i = 0; i < valid(b); i++) {
        const row = source + i * from.step(width);
        out.set(x.subarray(row, row + width), target + i * to.step(width));
      }
    }
  }
  return out;
}
