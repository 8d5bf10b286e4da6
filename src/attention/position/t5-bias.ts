import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { checkRank } from "../../core/shapes.ts";
import { distances, distancesToKeys, offsetOfQueries } from "./relative.ts";

export interface T5BucketOptions {
  /** Whether keys after the query have buckets of their own; without, they all share bucket 0. @default true */
  bidirectional?: boolean;
  /** Number of buckets; at least 2, and an even number of at least 4 where they have two directions. @default 32 */
  buckets?: number;
  /** Distances from here on share the last bucket. @default 128 */
  maxDistance?: number;
}

export interface T5BiasOptions extends Omit<T5BucketOptions, "buckets"> {
  /** The key position of query 0. @default 0 where T = S; needed elsewhere */
  queryOffset?: number;
}

export interface T5BiasParameters {
  /** A number for each bucket and head [buckets, H]. */
  table: tf.Tensor2D;
}

/**
 * T5's bucket of a distance: exact for near keys, logarithmic up to maxDistance.
 *
 *     bucket(n) = n                                                                  n < E
 *     bucket(n) = min(N − 1, E + ⌊ln(n/E) / ln(maxDistance/E) · (N − E)⌋)            n ≥ E
 *
 * Symbols: n = |j − i| positions from the query to the key; N buckets a direction, E = ⌊N/2⌋ of them exact.
 * Conventions: with two directions, keys after the query have the buckets from N on; with one, they have bucket 0. In
 * float32 like T5, since a rounding decides where a bucket ends.
 * Cost: O(1).
 * Paper: Raffel et al. 2020, §2.1, arxiv.org/abs/1910.10683; the formula is that of their code.
 *
 * @throws OptionError OPTION
 * @example
 * t5Bucket(-3); // 3
 * t5Bucket(3); // 19
 * t5Bucket(-1000); // 15
 */
export function t5Bucket(distance: number, options: T5BucketOptions = {}): number {
  const { bidirectional = true, buckets = 32, maxDistance = 128 } = options;
  checkBuckets("t5Bucket", options);
  const N = bidirectional ? buckets / 2 : buckets;
  const first = bidirectional && distance > 0 ? N : 0;
  const n = bidirectional ? Math.abs(distance) : Math.max(-distance, 0);
  const E = Math.floor(N / 2);
  if (n < E) return first + n;
  const share = Math.fround(
    Math.fround(Math.log(Math.fround(n / E))) / Math.fround(Math.log(maxDistance / E)),
  );
  return first + Math.min(N - 1, E + Math.floor(Math.fround(share * (N - E))));
}

function checkBuckets(
  op: string,
  { bidirectional = true, buckets = 32, maxDistance = 128 }: T5BucketOptions,
): void {
  const least = bidirectional ? 4 : 2;
  const even = !bidirectional || buckets % 2 === 0;
  if (!(Number.isSafeInteger(buckets) && buckets >= least && even)) {
    const rule = bidirectional ? "an even integer ≥ 4 with two directions" : "an integer ≥ 2";
    throw new OptionError("OPTION", outOfRange({ op, name: "buckets", rule, got: buckets }));
  }
  const exact = Math.floor((bidirectional ? buckets / 2 : buckets) / 2);
  if (!(maxDistance > exact && Number.isFinite(maxDistance))) {
    const rule = `a number above the ${exact} exact distances`;
    throw new OptionError("OPTION", outOfRange({ op, name: "maxDistance", rule, got: maxDistance }));
  }
}

/**
 * T5's relative position bias: a learned number for each head and bucket of distances, added to the scores.
 *
 *     bias(h, i, j) = table(bucket(j − i − offset), h)
 *
 * Symbols: i a query, which stands at i + offset; j a key; h a head.
 * Shapes: table [buckets, H] → [1, H, T, S], which is the `bias` of the op `attention`.
 * Conventions: T5 does not scale its scores: pass `scale: 1` with a bias that T5 learned. Where T ≠ S the offset must
 * be given. The gradient reaches the table.
 * Cost: O(H·T·S), by slices of one row of T + S − 1 distances.
 * Paper: Raffel et al. 2020, §2.1, arxiv.org/abs/1910.10683.
 *
 * @throws ShapeError RANK · OptionError OPTION, CONFLICT
 * @draws
 * const table = tf.tensor2d(Array.from({ length: 16 }, (_, n) => [-(n % 8), n < 8 ? 0 : -6]));
 * return t5Bias({ table }, 24, 24, { maxDistance: 16 });
 * @example
 * const table = tf.tensor2d([[0], [1], [2], [3]]); // 4 buckets: here, before, here, after
 * tf.reshape(t5Bias({ table }, 3, 3), [3, 3]); // [[0, 3, 3], [1, 0, 3], [1, 1, 0]]
 */
export function t5Bias(
  { table }: T5BiasParameters,
  T: number,
  S: number,
  { queryOffset, ...options }: T5BiasOptions = {},
): tf.Tensor4D {
  const op = "t5Bias";
  checkRank(op, "table [buckets, H]", table, 2);
  checkCount(op, "T", T);
  checkCount(op, "S", S);
  const [buckets, H] = table.shape;
  checkBuckets(op, { ...options, buckets });
  const offset = offsetOfQueries(op, T, S, queryOffset);
  const ids = distances(T, S, offset).map((distance) => t5Bucket(distance, { ...options, buckets }));
  return tf.tidy(() => {
    const byDistance = tf.transpose(tf.gather(table, tf.tensor1d(ids, "int32"), 0));
    const everyQuery = tf.mul(tf.reshape(byDistance, [1, H, 1, T + S - 1]), tf.ones([T, 1]));
    return distancesToKeys(everyQuery, T, S) as tf.Tensor4D;
  });
}
