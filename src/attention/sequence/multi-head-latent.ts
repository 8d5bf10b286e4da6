import * as tf from "@tensorflow/tfjs-core";
import type { OptionNames } from "../../core/check-options.ts";
import { compileProgram } from "../../core/program.ts";
import { runAttention, WANTED_OPTION_NAMES, wantsOf } from "../../ops/attention/run.ts";
import { linear } from "../../ops/linear.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { absorbedHeads } from "./latent/absorbed.ts";
import { checkLatent } from "./latent/check.ts";
import type {
  LatentCache,
  MultiHeadLatentOptions,
  MultiHeadLatentParameters,
  MultiHeadLatentResult,
} from "./latent/types.ts";
import type { MultiHeadOptions } from "./multi-head.ts";
import { fromHeads, project, toHeads } from "./project.ts";

export type {
  LatentCache,
  MultiHeadLatentOptions,
  MultiHeadLatentParameters,
  MultiHeadLatentResult,
} from "./latent/types.ts";

const NAMES: OptionNames<Omit<MultiHeadLatentOptions, keyof MultiHeadOptions>> = {
  ...{ rotate: true, past: true, cache: true, absorbed: true, epsilon: true },
};

/**
 * Multi-head latent attention: keys and values of all heads are made of one short vector a token, which is all that a
 * decoder has to remember.
 *
 *     c_s = x_s·Wdkv,    k_sh = [c_s·Wuk_h; R(x_s·Wkr)],    v_sh = c_s·Wuv_h
 *     c′_t = x_t·Wdq,    q_th = [c′_t·Wuq_h; R(c′_t·Wqr_h)]
 *     output_t = [Σ_s softmax_s(scale · q_th·k_sh) v_sh]_h·Wo,    scale = 1/√(D + Dr)
 *
 * Symbols: c latents of keys and values, of width R; c′ those of queries, of width Rq (c′ = x without Wdq); R(·) the
 * rotation by positions, of width Dr: rotating the latents would tie them to places, so one more key, shared by all
 * heads, carries positions ("decoupled"). Paper names: Wdkv is W^DKV, Wuk is W^UK, and so on.
 * Shapes: x [B, T, C]; wdkv [C, R], wuk [R, H, D], wuv [R, H, Dv], wdq [C, Rq], wuq [Rq, H, D], wkr [C, Dr], wqr
 * [Rq, H, Dr], wo [H, Dv, Cout], gammaKv [R], gammaQ [Rq] → output [B, T, Cout], weights [B, H, T, S], cache latent
 * [B, S, R] and positionKey [B, S, Dr]; S = T and what `past` holds.
 * Conventions: wdq, wkr with wqr, wo and the gammas may be left out; with gammas latents pass an RMS norm, as the
 * paper's models have it (§3.1.2). `past` is an earlier call's cache: its tokens come first and `queryOffset` is
 * their number. `absorbed: true` moves Wuk to the queries and Wuv behind the sum, so that attention runs on the
 * latents themselves: the same result with no keys or values made, best where T is small. Masks, NaN and empty rows
 * as in `multiHeadAttention`.
 * Cost: the cache takes R + Dr numbers a token, where multi-head attention takes H·(D + Dv). Attention costs
 * O(B·H·T·S·(D + Dr + Dv)), absorbed O(B·H·T·S·(2·R + Dr)), in the kernel of `attention` either way.
 * Paper: DeepSeek-AI 2024, §2.1, arxiv.org/abs/2405.04434.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · and what `attention` throws for its options
 * @draws
 * // Causal; latents of two numbers make the keys of 24.
 * const at = tf.outerProduct(tf.range(0, 24), tf.tensor1d([0.26]));
 * const x = tf.expandDims(tf.concat([tf.cos(at), tf.sin(at)], 1), 0);
 * const wuk = tf.reshape(tf.eye(2), [2, 1, 2]);
 * const parameters = { wdkv: tf.eye(2), wuk, wuv: wuk, wuq: tf.mul(wuk, 4) };
 * return tf.squeeze(multiHeadLatentAttention(x, parameters, { causal: true, weights: true }).weights);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3);
 * const parameters = {
 *   ...{ wdkv: w(4, 2), wuk: w(2, 3, 4), wuv: w(2, 3, 5), wuq: w(4, 3, 4), wo: w(3, 5, 4) },
 *   ...{ wkr: w(4, 6), wqr: w(4, 3, 6) },
 * };
 * const options = { causal: true, rotate: (x, start) => rope(x, { layout: "bthd", offset: start }) };
 * const whole = multiHeadLatentAttention(queries, parameters, options);
 * const [start, last] = tf.split(queries, [2, 1], 1);
 * const { cache } = multiHeadLatentAttention(start, parameters, { ...options, cache: true });
 * const step = multiHeadLatentAttention(last, parameters, { ...options, past: cache, absorbed: true });
 * tf.max(tf.abs(tf.sub(step.output, tf.slice(whole.output, [0, 2, 0])))).arraySync() < 1e-5; // true
 */
export function multiHeadLatentAttention<const O extends MultiHeadLatentOptions>(
  x: tf.Tensor3D,
  parameters: MultiHeadLatentParameters,
  options: O = {} as O,
): MultiHeadLatentResult<O> {
  const op = "multiHeadLatentAttention";
  const { rotate, past, cache: asksCache, absorbed, epsilon = 1e-6, finite, ...given } = options;
  const shapes = checkLatent(op, x, parameters, { past, rotate, epsilon });
  const P = shapes.S - shapes.T;
  const program = compileProgram<tf.Tensor>(
    op,
    shapes,
    { ...given, queryOffset: given.queryOffset ?? P },
    WANTED_OPTION_NAMES,
    NAMES,
  );
  const asked = wantsOf(op, options, NAMES);
  const { wdkv, wuk, wuv, wdq, wuq, wkr, wqr, wo, gammaKv, gammaQ } = parameters;
  const rotated = (heads: tf.Tensor4D) => (rotate ? rotate(heads, P) : heads);
  return tidyAsked((): MultiHeadLatentResult<MultiHeadLatentOptions> => {
    const latent = project(program, x, (from) => normed(linear(from, wdkv), gammaKv, epsilon), finite);
    const positionKey =
      wkr && project(program, x, (from) => rotated(toHeads(from, tf.expandDims(wkr, 1))), finite);
    const cache = extended(past, latent, positionKey && tf.squeeze(positionKey, [2]));
    const queries = wdq
      ? project(program, x, (from) => normed(linear(from, wdq), gammaQ, epsilon), finite)
      : x;
    const content = project(program, queries, (from) => toHeads(from, wuq), finite);
    const place = wqr && project(program, queries, (from) => rotated(toHeads(from, wqr)), finite);
    let heads: ReturnType<typeof runAttention>;
    if (absorbed) {
      heads = absorbedHeads(program, { content, place }, cache, { wuk, wuv }, asked);
    } else {
      const keys = project(program, cache.latent, (from) => toHeads(from, wuk), finite);
      heads = runAttention(
        program,
        "bthd",
        {
          q: place ? tf.concat([content, place], 3) : content,
          k: cache.positionKey ? withPlace(keys, cache.positionKey) : keys,
          v: project(program, cache.latent, (from) => toHeads(from, wuv), finite),
        },
        asked,
      );
    }
    return {
      ...heads,
      output: fromHeads(heads.output, wo),
      ...(asksCache && { cache }),
    };
  });
}

function normed(x: tf.Tensor3D, gamma: tf.Tensor1D | undefined, epsilon: number): tf.Tensor3D {
  return gamma ? rmsNorm(x, gamma, { epsilon }) : x;
}

/** What was remembered, then what is new. */
function extended(
  past: LatentCache | undefined,
  latent: tf.Tensor3D,
  positionKey?: tf.Tensor3D,
): LatentCache {
  if (!past) return { latent, ...(positionKey && { positionKey }) };
  return {
    latent: tf.concat([past.latent, latent], 1),
    ...(positionKey && { positionKey: tf.concat([past.positionKey!, positionKey], 1) }),
  };
}

/** Keys of all heads, each followed by the one key that carries positions: [B, S, H, D + Dr]. */
function withPlace(keys: tf.Tensor4D, positionKey: tf.Tensor3D): tf.Tensor4D {
  return tf.concat(
    [keys, tf.tile(tf.expandDims(positionKey, 2), [1, 1, keys.shape[2], 1])],
    3,
  ) as tf.Tensor4D;
}
