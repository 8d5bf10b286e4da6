/**
 * The letters, the same in prose, code, errors and papers' formulas:
 *
 *     B    batch                    T    query positions           S    key positions
 *     H    query heads              Hkv  key/value heads, H a multiple of Hkv
 *     D    width of queries/keys, per head          Dv   width of values, per head
 *     C    model width              A    hidden width of a score
 *
 * Layers take [B, T, C]; ops and kernels take [B, H, T, D]. A gradient adds `d`: `dq` belongs to `q`.
 * `b h i j` count batch, query heads, queries and keys.
 */
export interface AttentionShapes {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  readonly H: number;
  readonly Hkv: number;
  readonly D: number;
  readonly Dv: number;
}

/** What a shape check needs of an array; a TensorFlow.js tensor is one. */
export interface ArrayInfo {
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** An array in ordinary memory, row-major; `bool` holds 0 and 1. */
export interface HostArray extends ArrayInfo {
  readonly values: ArrayLike<number>;
}

/** `[2, 3]` as text. */
export function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** The number of elements of a shape. */
export function size(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** The key/value head that query head h reads: ⌊h·Hkv/H⌋, so neighbours share one. */
export function keyHead(h: number, { H, Hkv }: AttentionShapes): number {
  return Math.floor((h * Hkv) / H);
}
