import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { notBool } from "../../core/faults.ts";
import { type AttentionShapes, show } from "../../core/notation.ts";
import { compileProgram } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";

/** What is padding. A hidden key is as if it were not there; a hidden query gives 0. */
export interface PaddingOptions {
  /** Valid keys per example, from 0 to S. @default S */
  keyLengths?: ArrayLike<number>;
  /** Valid queries per example, from 0 to T; later ones give 0. @default T */
  queryLengths?: ArrayLike<number>;
  /** `true` where a key may be seen: bool [B, S]. @default everywhere */
  keyAllow?: tf.Tensor;
}

/** The sizes of q, k and v, none of which may be empty. */
export function checkSequences(op: string, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): AttentionShapes {
  const shapes = attentionShapes(op, q, k, v);
  const { T, S } = shapes;
  if (T > 0 && S > 0) return shapes;
  throw new ShapeError("SHAPE", {
    op,
    rule: "there must be T ≥ 1 queries and S ≥ 1 keys",
    got: `T=${T} and S=${S}`,
    remedy: "leave empty sequences out",
  });
}

/** Throws unless a recurrence has as many queries as keys. */
export function checkSameLength(op: string, { T, S }: Pick<AttentionShapes, "T" | "S">): void {
  if (T === S) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: "a recurrence must have as many queries as keys",
    got: `T=${T} and S=${S}`,
    remedy: "pass earlier keys as the state that their call returned",
  });
}

/** Throws unless an input has one of these shapes. */
export function checkShape(op: string, name: string, x: tf.Tensor, ...shapes: number[][]): void {
  const fits = shapes.some(
    (shape) => shape.length === x.rank && shape.every((n, axis) => n === x.shape[axis]),
  );
  if (fits) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `${name} must have shape ${shapes.map(show).join(" or ")} here`,
    got: show(x.shape),
    remedy: "each letter must mean the same size in all inputs",
  });
}

export interface Padding {
  /** Keys that are there: bool [B, 1, S, 1]; undefined where all are. */
  readonly keys: tf.Tensor4D | undefined;
  /** Queries that are there: bool [B, 1, T, 1]; undefined where all are. */
  readonly queries: tf.Tensor4D | undefined;
}

/** Checks the options of padding; what it returns makes the masks. */
export function checkPadding(op: string, shapes: AttentionShapes, options: PaddingOptions): () => Padding {
  const { B, T, S } = shapes;
  const { keyAllow, keyLengths, queryLengths } = options;
  const program = compileProgram(op, shapes, { keyLengths, queryLengths });
  if (keyAllow && keyAllow.dtype !== "bool")
    throw new OptionError("DTYPE", notBool({ op, dtype: keyAllow.dtype }));
  if (keyAllow) checkShape(op, "keyAllow [B, S]", keyAllow, [B, S]);
  const within = (lengths: Int32Array | undefined, steps: number) => {
    if (!lengths) return undefined;
    const kept = Uint8Array.from({ length: B * steps }, (_, e) =>
      e % steps < lengths[Math.floor(e / steps)]! ? 1 : 0,
    );
    return tf.tensor4d(kept, [B, 1, steps, 1], "bool");
  };
  return () => {
    const valid = within(program.keyLengths, S);
    const allowed = keyAllow && (tf.reshape(keyAllow, [B, 1, S, 1]) as tf.Tensor4D);
    const keys = valid && allowed ? tf.logicalAnd(valid, allowed) : (valid ?? allowed);
    return { keys: keys as tf.Tensor4D | undefined, queries: within(program.queryLengths, T) };
  };
}
