import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkPadding, checkSequences, checkShape, type Padding, type PaddingOptions } from "./check.ts";
import { lowerOnes } from "./chunked-state.ts";
import { hide, quotient } from "./numerics.ts";
import { checkForm, type FormOptions, type FormResult, runForm, withoutStray } from "./recurrence-form.ts";

/** φ: [..., D] → [..., any width]; features should not be negative, so that the weights are a mean. */
export type FeatureMap = (x: tf.Tensor4D) => tf.Tensor4D;

export interface LinearAttentionOptions extends PaddingOptions, FormOptions {
  /** @default eluFeatures */
  featureMap?: FeatureMap;
  /** Query t sees the keys up to t; T must be S. @default false */
  causal?: boolean;
  /** Divide by the sum of the weights. @default true */
  normalize?: boolean;
  /** Return the weights [B, H, T, S]; costs O(T·S). @default false */
  weights?: boolean;
}

export type LinearAttentionResult<O> = FormResult<O> & Asked<O, "weights", tf.Tensor4D>;

/** Linear attention whose queries and keys have feature maps of their own. */
export function featureAttention<O>(
  op: string,
  [q, k, v]: readonly [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D],
  [ofQueries, ofKeys]: readonly [FeatureMap, FeatureMap],
  options: Omit<LinearAttentionOptions, "featureMap">,
): LinearAttentionResult<O> {
  const shapes = checkSequences(op, q, k, v);
  const padding = checkPadding(op, shapes, options);
  const { causal = false, normalize = true, finite = false, state } = options;
  const { B, Hkv } = shapes;
  if (causal) checkForm(op, shapes, options);
  else if (state || options.returnState) {
    throw new OptionError("CONFLICT", {
      op,
      rule: "state and returnState must come with causal: true",
      got: "causal: false",
      remedy: "without it all keys come at once",
    });
  }
  return tidyAsked((): LinearAttentionResult<LinearAttentionOptions> => {
    const kept = padding();
    const queries = ofQueries(hide(q, kept.queries));
    const keys = hide(k, kept.keys);
    const values = hide(v, kept.keys);
    const run = (clean: { keys?: tf.Tensor; values?: tf.Tensor }) => {
      const features = ofKeys(clean.keys as tf.Tensor4D);
      const summed = normalize ? withOnes(clean.values as tf.Tensor4D, kept) : (clean.values as tf.Tensor4D);
      if (!causal) return { output: readAll(queries, features, summed) };
      if (state) {
        // The width of the features is known once they are computed.
        const name = `state [B, Hkv, Dφ, ${normalize ? "Dv + 1" : "Dv"}]`;
        checkShape(op, name, state, [B, Hkv, features.shape[3], summed.shape[3]]);
      }
      return runForm({ q: queries, k: features, v: summed, ...(state && { state }) }, options);
    };
    const result = causal ? withoutStray({ keys, values }, finite, run) : run({ keys, values });
    const { sums, total } = normalize ? apart(result.output) : { sums: result.output };
    const output = hide(total ? quotient(sums, total, 3) : sums, kept.queries);
    return {
      output,
      ...(result.state && { state: result.state }),
      ...(options.weights && { weights: weightsOf(queries, ofKeys(keys), { kept, causal, total }) }),
    };
  });
}

/** Values with a column of ones, which sums the weights; hidden keys have 0 in it, as in their values. */
function withOnes(values: tf.Tensor4D, { keys }: Padding): tf.Tensor4D {
  const [B, Hkv, S] = values.shape;
  const ones = tf.ones([B, Hkv, S, 1]);
  return tf.concat([values, keys ? tf.mul(ones, tf.cast(keys, "float32")) : ones], 3) as tf.Tensor4D;
}

/** Σ_s (q_t·k_s) v_s over all keys: heads that share keys are more rows of one product. */
function readAll(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D): tf.Tensor4D {
  const [B, H, T, D] = q.shape;
  const [, Hkv, , Dv] = v.shape;
  const state = tf.matMul(k, v, true); // [B, Hkv, D, Dv]
  const rows = tf.reshape(q, [B, Hkv, (H / Hkv) * T, D]);
  return tf.reshape(tf.matMul(rows, state), [B, H, T, Dv]);
}

/** The sums of values, and of weights, which are the last column. */
function apart(sums: tf.Tensor4D): { sums: tf.Tensor4D; total?: tf.Tensor4D } {
  const [B, H, T, columns] = sums.shape;
  return {
    sums: tf.slice(sums, [0, 0, 0, 0], [B, H, T, columns - 1]),
    total: tf.slice(sums, [0, 0, 0, columns - 1], [B, H, T, 1]),
  };
}

/** The weights of this call's keys, as shares of a total in which those of an earlier state count too. */
function weightsOf(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  { kept, causal, total }: { kept: Padding; causal: boolean; total: tf.Tensor4D | undefined },
): tf.Tensor4D {
  const [B, H, T, D] = q.shape;
  const [, Hkv, S] = k.shape;
  const rows = tf.reshape(q, [B, Hkv, (H / Hkv) * T, D]);
  let products: tf.Tensor4D = tf.reshape(tf.matMul(rows, k, false, true), [B, H, T, S]);
  if (kept.keys) products = hide(products, tf.reshape(kept.keys, [B, 1, 1, S]));
  if (causal) products = hide(products, tf.cast(lowerOnes(T), "bool"));
  return hide(total ? quotient(products, total, 3) : products, kept.queries);
}
