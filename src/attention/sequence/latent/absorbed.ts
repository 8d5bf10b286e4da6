import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../../core/program.ts";
import {
  type AttentionOptions,
  type AttentionResult,
  type AttentionWants,
  runAttention,
} from "../../../ops/attention/run.ts";
import { project } from "../project.ts";
import type { LatentCache, MultiHeadLatentParameters } from "./types.ts";

/**
 * Attention of all heads on the latents, because (c·Wuk)·q = c·(Wuk·q) and Σ α (c·Wuv) = (Σ α c)·Wuv: one key and one
 * value for all heads, which are the latents themselves. Output [B, T, H, Dv].
 */
export function absorbedHeads(
  program: AttentionProgram<tf.Tensor>,
  { content, place }: { content: tf.Tensor4D; place: tf.Tensor4D | undefined },
  { latent, positionKey }: LatentCache,
  { wuk, wuv }: Pick<MultiHeadLatentParameters, "wuk" | "wuv">,
  asked: AttentionWants,
): AttentionResult<AttentionOptions> {
  const R = latent.shape[2];
  const up = tf.transpose(wuk, [1, 2, 0]);
  const q = project(program, content, (x) => mapHeads(x, up), asked.finite);
  const k = positionKey ? tf.concat([latent, positionKey], 2) : latent;
  const shapes = { ...program.shapes, Hkv: 1, D: k.shape[2]!, Dv: R };
  // The scale stays that of keys of width D + Dr.
  const heads = runAttention(
    { ...program, shapes },
    "bthd",
    {
      q: place ? tf.concat([q, place], 3) : q,
      k: tf.expandDims(k, 2),
      v: tf.expandDims(latent, 2),
    },
    asked,
  );
  return { ...heads, output: mapHeads(heads.output, tf.transpose(wuv, [1, 0, 2])) };
}

/** A matrix for each head: x [B, T, H, I], w [H, I, O] → [B, T, H, O]. */
function mapHeads(x: tf.Tensor4D, w: tf.Tensor3D): tf.Tensor4D {
  const [B, T, H, I] = x.shape;
  const O = w.shape[2];
  const rows = tf.reshape(tf.transpose(x, [2, 0, 1, 3]), [H, B * T, I]);
  return tf.transpose(tf.reshape(tf.matMul(rows, w), [H, B, T, O]), [1, 2, 0, 3]);
}
