import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../../core/program.ts";
import { tidy } from "../../tidy.ts";
import { aggregate } from "../composed.ts";
import { exponentiate, lessMost } from "../exponentials.ts";
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

/** What a chunk of queries keeps of the keys behind it: a [B, H, rows, Dv], m and z [B, H, rows, 1]. */
interface Running {
  readonly sums: tf.Tensor;
  readonly most: tf.Tensor;
  readonly total: tf.Tensor;
}

/** Output and lse side by side, [B, H, T, Dv + 1]; and m, z and whether no key was seen, [B, H, T, 3]. */
export interface ForwardRows {
  readonly rows: tf.Tensor;
  readonly statistics: tf.Tensor;
}

/** @throws OptionError EMPTY_ROW */
export function forwardRows(
  program: Program,
  [q, k, v]: readonly tf.Tensor[],
  options: ChunkedOptions,
): ForwardRows {
  const parts = cut(program.shapes.T, options.queryChunkSize).map((queries) =>
    tidy(() => {
      const own = rowsOf(q!, queries);
      const places = placesOf(program, queries, options);
      let running = nothing(program, queries);
      for (const place of places.filter(({ visible }) => visible !== "none")) {
        const before = running;
        running = tidy(() => together(before, ofKeys(program, own, [k!, v!], place, options)));
        tf.dispose({ ...before });
      }
      return finished(program, { running, places, v: v! }, options);
    }),
  );
  const whole = (name: keyof ForwardRows) =>
    tf.concat(
      parts.map((part) => part[name]),
      2,
    );
  const made = { rows: whole("rows"), statistics: whole("statistics") };
  for (const part of parts) tf.dispose({ ...part });
  return made;
}

/** What queries keep that have seen no key. */
function nothing({ shapes: { B, H, Dv } }: Program, [i0, i1]: Range): Running {
  return tidy(() => {
    const { most, total } = exponentiate(tf.fill([B, H, i1 - i0, 1], Number.NEGATIVE_INFINITY));
    return { sums: tf.zeros([B, H, i1 - i0, Dv]), most, total };
  });
}

/** What one chunk of keys gives a chunk of queries. */
function ofKeys(
  program: Program,
  q: tf.Tensor,
  [k, v]: readonly [tf.Tensor, tf.Tensor],
  place: Place,
  { original, finite }: ChunkedOptions,
): Running {
  const chunk = chunkAt(program, place);
  const { exponentials, total, most } = exponentiate(scoresOf(chunk, q, rowsOf(k, place.keys)).scores);
  const factors = dropped(program, chunk, exponentials);
  const seen = finite ? undefined : chunk.seen;
  return { sums: aggregate(chunk.part, factors, rowsOf(v, place.keys), seen, original), most, total };
}

/** What two sets of keys give together. */
function together(a: Running, b: Running): Running {
  const most = tf.maximum(a.most, b.most);
  const [old, now] = [a, b].map((x) => tf.exp(lessMost(x.most, most))) as [tf.Tensor, tf.Tensor];
  return {
    sums: tf.add(tf.mul(a.sums, old), tf.mul(b.sums, now)),
    most,
    total: tf.add(tf.mul(a.total, old), tf.mul(b.total, now)),
  };
}

/** The sink is a logit without a value. */
function withSink({ sink }: Program, running: Running): Running {
  if (sink === undefined) return running;
  const { sums, most, total } = running;
  return together(running, {
    sums: tf.zerosLike(sums),
    most: sinkColumn(sink, most),
    total: tf.onesLike(total),
  });
}

/** The rows of a chunk of queries that has seen all its keys. */
function finished(
  program: Program,
  { running, places, v }: { running: Running; places: readonly Place[]; v: tf.Tensor },
  options: ChunkedOptions,
): ForwardRows {
  const empty = tf.cast(tf.equal(running.total, 0), "float32");
  const { sums, most, total } = withSink(program, running);
  const lse = tf.add(most, tf.log(total));
  // The largest term of a row that is not empty is 1, so only empty rows are touched.
  let output = tf.div(sums, tf.maximum(total, 1));
  const shares = uniformShares(program, places[0]!.queries[0], empty);
  for (const place of shares ? places : []) {
    const before = output;
    output = tidy(() => {
      const chunk = chunkAt(program, place);
      const weights = uniformWeights(program, chunk, shares!);
      const seen = options.finite ? undefined : tf.notEqual(weights, 0);
      return tf.add(before, aggregate(chunk.part, weights, rowsOf(v, place.keys), seen, options.original));
    });
    before.dispose();
  }
  return { rows: tf.concat([output, lse], -1), statistics: tf.concat([most, total, empty], -1) };
}
