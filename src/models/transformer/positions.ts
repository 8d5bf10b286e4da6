/** What positions add: vectors to embeddings, a bias to scores, a rotation to queries and keys. */
import * as tf from "@tensorflow/tfjs-core";
import { alibiBias, alibiKeyBias, alibiSlopes } from "../../attention/position/alibi.ts";
import { applyRope, ropeTable } from "../../attention/position/rope.ts";
import { ropeFrequencies } from "../../attention/position/rope-frequencies.ts";
import { type RopeTable, tableOf } from "../../attention/position/rope-table.ts";
import { writeSinusoids } from "../../attention/position/sinusoids.ts";
import { t5Bias, t5Bucket } from "../../attention/position/t5-bias.ts";
import { ShapeError } from "../../core/errors.ts";
import type { FullConfig } from "./config.ts";
import { endOf, positionOf, type Span } from "./span.ts";
import type { Weights } from "./weights.ts";

/** The vectors of positions, [T, E] or [B, T, E]; undefined where embeddings know nothing of them. */
export function positionVectors(
  weights: Weights,
  B: number,
  T: number,
  span: Span,
): tf.Tensor2D | tf.Tensor3D | undefined {
  const { positions, embeddingWidth: E } = weights.config;
  if (positions.kind === "sinusoidal") return sinusoids(positions.order, E, B, T, span);
  if (positions.kind !== "learned") return undefined;
  const { length, first: begin = 0 } = positions;
  const end = endOf(span, T);
  if (begin + end > length) {
    throw new ShapeError("LIMIT", {
      op: "Transformer",
      rule: `a sequence must end within the ${length - begin} positions of this model`,
      got: end,
      remedy: "cut the text, or use a model of more positions",
    });
  }
  const table = weights.get<tf.Tensor2D>("embedding/position");
  if ("first" in span) return tf.slice(table, [begin + span.first, 0], [T, E]);
  const ids = tf.tensor1d(
    span.each.map((n) => begin + n),
    "int32",
  );
  return tf.reshape(tf.gather(table, ids), [B, T, E]) as tf.Tensor3D;
}

/** Sines and cosines in turn, or all sines before all cosines. */
function sinusoids(order: "interleaved" | "halves", E: number, B: number, T: number, span: Span) {
  const rows = "first" in span ? T : B * T;
  const values = new Float32Array(rows * E);
  const row = new Float32Array(E);
  const half = Math.ceil(E / 2);
  /** Packed tokens stand at few positions, again and again: the row of each is made once. */
  const made = new Map<number, number>();
  for (let n = 0; n < rows; n++) {
    const at = positionOf(span, T, Math.floor(n / T), n % T);
    const before = made.get(at);
    if (before !== undefined) {
      values.copyWithin(n * E, before * E, (before + 1) * E);
      continue;
    }
    made.set(at, n);
    writeSinusoids(row, 0, E, at, 10_000);
    for (let c = 0; c < E; c++) {
      const to = order === "interleaved" ? c : c % 2 === 0 ? c / 2 : half + (c - 1) / 2;
      values[n * E + to] = row[c]!;
    }
  }
  return "first" in span ? tf.tensor2d(values, [T, E]) : tf.tensor3d(values, [B, T, E]);
}

/** Where the queries and the keys of a stack stand. */
export interface Places {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  readonly queries: Span;
  /** @default 0, 1, … S − 1 */
  readonly keys?: Span;
  readonly causal: boolean;
}

/** What the scores of one stack have added: [1 or B, H, T or 1, S]; undefined for most. */
export function positionBias(weights: Weights, places: Places): tf.Tensor4D | undefined {
  const { positions, heads: H } = weights.config;
  if (positions.kind !== "t5" && positions.kind !== "alibi") return undefined;
  const { T, S, queries, keys = { first: 0 }, causal } = places;
  const isPlain = "first" in queries && "first" in keys;
  const queryOffset = isPlain ? queries.first - keys.first : 0;
  if (positions.kind === "alibi") {
    // A softmax does not see what is added to a whole row: one row serves all queries that see what is before them.
    if (causal && isPlain && T === S) return alibiKeyBias(H, S);
    if (isPlain) return alibiBias(H, T, S, { queryOffset });
    const slopes = alibiSlopes(H);
    return biasOf(places, H, (distance, h) => -slopes[h]! * Math.abs(distance));
  }
  const { buckets, maxDistance } = positions;
  const table = weights.get<tf.Tensor2D>("distances");
  const options = { bidirectional: !causal, maxDistance };
  if (isPlain) return t5Bias({ table }, T, S, { ...options, queryOffset });
  const numbers = table.dataSync();
  return biasOf(places, H, (distance, h) => numbers[t5Bucket(distance, { ...options, buckets }) * H + h]!);
}

/** [B, H, T, S] of a function of the distance from query to key. */
function biasOf(
  { B, T, S, queries, keys = { first: 0 } }: Places,
  H: number,
  of: (distance: number, h: number) => number,
) {
  const bias = new Float32Array(B * H * T * S);
  let n = 0;
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let t = 0; t < T; t++) {
        const query = positionOf(queries, T, b, t);
        for (let s = 0; s < S; s++) bias[n++] = of(positionOf(keys, S, b, s) - query, h);
      }
  return tf.tensor4d(bias, [B, H, T, S]);
}

/** The angles of the tokens, one row for each position of a plain span, else for each token; undefined for most models. */
export function rotationTable(
  { positions, headWidth: D }: FullConfig,
  B: number,
  T: number,
  span: Span,
): (RopeTable & { readonly pairs: "half" | "interleaved" }) | undefined {
  if (positions.kind !== "rope") return undefined;
  const { base, scaling, width = D, pairs = "half" } = positions;
  const given = { base, ...(scaling && { scaling }) };
  if ("first" in span) return { ...ropeTable(T, width, { ...given, offset: span.first }), pairs };
  const { frequencies, magnitude } = ropeFrequencies(width, given);
  return { ...tableOf(B * T, frequencies, magnitude, (n) => span.each[n]!), pairs };
}

/** Turns queries or keys [B, T, H, D] by their positions; the identity for most. */
export type Turn = (x: tf.Tensor4D) => tf.Tensor4D;

export function rotation(config: FullConfig, B: number, T: number, span: Span): Turn {
  const given = rotationTable(config, B, T, span);
  if (!given) return (x) => x;
  const { pairs, ...table } = given;
  const D = config.headWidth;
  if ("first" in span) return (x) => applyRope(x, table, { pairs, layout: "bthd" });
  // Rows of all examples as one sequence, each with its own angle.
  return (x) => {
    const flat = tf.reshape<tf.Rank.R4>(x, [1, B * T, x.shape[2], D]);
    return tf.reshape(applyRope(flat, table, { pairs, layout: "bthd" }), x.shape);
  };
}
