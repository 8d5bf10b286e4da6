import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../../core/program.ts";
import { tidy } from "../../tidy.ts";
import { sharedRows } from "../composed.ts";
import { lessMost } from "../exponentials.ts";
import { BiasGradient } from "./bias-gradient.ts";
import type { ForwardRows } from "./forward.ts";
import { cut, type Range, rowsOf } from "./program.ts";
import {
  type ChunkedOptions,
  chunkAt,
  dropped,
  type Place,
  placesOf,
  scoresOf,
  sinkColumn,
} from "./scores.ts";
import { uniformShares, uniformWeights } from "./uniform.ts";

type Program = AttentionProgram<tf.Tensor>;

/** What the forward pass kept of a chunk of queries, all [B, H, rows, …], and the gradient that comes. */
interface QueryRows {
  readonly q: tf.Tensor;
  readonly most: tf.Tensor;
  readonly total: tf.Tensor;
  readonly dout: tf.Tensor;
  /** `dout`, and 0 in rows that saw no key. */
  readonly doutSeen: tf.Tensor;
  /** Σ dout·out − dlse */
  readonly delta: tf.Tensor;
  /** Of rows that have the mean of the keys, see `uniformShares`. */
  readonly shares?: tf.Tensor;
}

/** The gradients of q, k, v, then of bias and sink where they are tensors; `drows` is that of the forward pass' rows. */
export function backwardRows(
  program: Program,
  [q, k, v]: readonly tf.Tensor[],
  given: ForwardRows & { readonly drows: tf.Tensor },
  options: ChunkedOptions,
): tf.Tensor[] {
  const { shapes, bias, sink } = program;
  const chunks = cut(shapes.S, options.keyChunkSize);
  const zeros = (x: tf.Tensor, [first, end]: Range) =>
    tf.zeros([x.shape[0]!, x.shape[1]!, end - first, x.shape[3]!]);
  const dks = chunks.map((keys) => zeros(k!, keys));
  const dvs = chunks.map((keys) => zeros(v!, keys));
  const dqs: tf.Tensor[] = [];
  const dbias = bias && new BiasGradient(bias.array.shape, shapes, options);
  let dsink = typeof sink === "object" ? tf.zeros(sink.shape) : undefined;
  for (const queries of cut(shapes.T, options.queryChunkSize)) {
    const rows = tidy(() => queryRows(program, q!, queries, given));
    let dq = zeros(q!, queries);
    for (const [at, place] of placesOf(program, queries, options).entries()) {
      if (rows.shares) {
        const dv = tidy(() => uniformGradient(program, rows, place));
        dvs[at] = plus(dvs[at]!, dv);
      }
      if (place.visible === "none") continue;
      const made = tidy(() => pairGradients(program, rows, [k!, v!], place, options));
      dq = plus(dq, made.dq);
      dks[at] = plus(dks[at]!, made.dk);
      dvs[at] = plus(dvs[at]!, made.dv);
      dbias?.add(place, made.dscores);
      made.dscores.dispose();
    }
    if (dsink)
      dsink = plus(
        dsink,
        tidy(() => sinkGradient(sink as tf.Tensor, rows)),
      );
    dqs.push(dq);
    tf.dispose({ ...rows });
  }
  const made = [dqs, dks, dvs].map((parts) => {
    const whole = tf.concat(parts, 2);
    tf.dispose(parts);
    return whole;
  });
  return [...made, ...(dbias ? [dbias.take()] : []), ...(dsink ? [dsink] : [])];
}

/** sum + x, which are both done for. */
function plus(sum: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const next = tf.add(sum, x);
  tf.dispose([sum, x]);
  return next;
}

function queryRows(
  program: Program,
  q: tf.Tensor,
  queries: Range,
  { rows, statistics, drows }: ForwardRows & { readonly drows: tf.Tensor },
): QueryRows {
  const { Dv } = program.shapes;
  const [out, dboth, kept] = [rows, drows, statistics].map((x) => rowsOf(x, queries)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const [output] = tf.split(out, [Dv, 1], 3) as [tf.Tensor];
  const [dout, dlse] = tf.split(dboth, [Dv, 1], 3) as [tf.Tensor, tf.Tensor];
  const [most, total, empty] = tf.split(kept, 3, 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const doutSeen = tf.where(tf.equal(empty, 1), 0, dout);
  const delta = tf.sub(tf.sum(tf.mul(doutSeen, output), -1, true), dlse);
  const shares = uniformShares(program, queries[0], empty);
  return { q: rowsOf(q, queries), most, total, dout, doutSeen, delta, ...(shares && { shares }) };
}

/** The gradients of one chunk of queries × keys; `dscores` is that of what the softmax sees. */
function pairGradients(
  program: Program,
  { q, most, total, doutSeen, delta }: QueryRows,
  [k, v]: readonly [tf.Tensor, tf.Tensor],
  place: Place,
  { finite }: ChunkedOptions,
): Record<"dq" | "dk" | "dv" | "dscores", tf.Tensor> {
  const chunk = chunkAt(program, place);
  const { part, seen } = chunk;
  const { B, H, T, S, D } = part.shapes;
  const [keys, values] = [rowsOf(k, place.keys), rowsOf(v, place.keys)];
  const { capped, scores } = scoresOf(chunk, q, keys);
  const weights = tf.div(tf.exp(lessMost(scores, most)), tf.maximum(total, 1));
  const dout = sharedRows(doutSeen, part.shapes);
  const dv = tf.matMul(sharedRows(dropped(program, chunk, weights), part.shapes), dout, true);
  const dweights = dropped(program, chunk, tf.reshape(tf.matMul(dout, values, false, true), [B, H, T, S]));
  // What is hidden may hold NaN, and 0·NaN is NaN.
  const hide = (x: tf.Tensor) => (seen ? tf.where(seen, x, 0) : x);
  const clean = (x: tf.Tensor) => (seen && !finite ? tf.where(tf.isFinite(x), x, 0) : x);
  const dscores = hide(tf.mul(weights, tf.sub(dweights, delta)));
  const { softCap, scale } = program;
  const dcapped =
    softCap === undefined ? dscores : hide(tf.mul(dscores, tf.sub(1, tf.square(tf.div(capped, softCap)))));
  const dproducts = sharedRows(tf.mul(dcapped, scale), part.shapes);
  return {
    dq: tf.reshape(tf.matMul(dproducts, clean(keys)), [B, H, T, D]),
    dk: tf.matMul(dproducts, sharedRows(clean(q), part.shapes), true),
    dv,
    dscores,
  };
}

/** What rows that have the mean of the keys pass on to the values. */
function uniformGradient(program: Program, { dout, shares }: QueryRows, place: Place): tf.Tensor {
  const chunk = chunkAt(program, place);
  const weights = uniformWeights(program, chunk, shares!);
  const asked = tf.where(tf.greater(shares!, 0), dout, 0);
  const rows = (x: tf.Tensor) => sharedRows(x, chunk.part.shapes);
  return tf.matMul(rows(weights), rows(asked), true);
}

/** The sink's gradient is −Σ p_sink · δ, over padded queries too: they see the sink alone. */
function sinkGradient(sink: tf.Tensor, { most, total, delta }: QueryRows): tf.Tensor {
  const share = tf.div(tf.exp(lessMost(sinkColumn(sink, most), most)), total);
  return tf.reshape(tf.neg(tf.sum(tf.mul(share, delta), [0, 2, 3])), sink.shape);
}
