// The module that each thread of a training run imports: one replica of the model, gradients of one shard.
import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../data/batching.ts";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { ShowAttendAndTellConfig } from "../../models/show-attend-and-tell/config.ts";
import type { TellerLossOptions } from "../../models/show-attend-and-tell/show-attend-and-tell.ts";
import { namedGradients } from "../../train/named-gradients.ts";
import type { ShardModel } from "../../train/shards.ts";
import { CaptionModel } from "./caption-model.ts";
import type { CaptioningRecipe } from "./recipe.ts";

export interface ShardInit extends Pick<CaptioningRecipe, "trainGrid" | "seed"> {
  /** What the model, or its grid alone, begins with; by default random numbers. */
  start: Record<string, Float32Array> | undefined;
  grid: Record<string, Float32Array> | undefined;
  config: ShowAttendAndTellConfig;
  weights: Pick<TellerLossOptions, "penaltyWeight" | "rewardWeight" | "entropyWeight" | "meanShare">;
}

/** A piece of a batch, with what ties it to the whole. */
export interface ShardBatch {
  /** [scenes, side, side], 0 … 255. */
  pixels: Uint8Array;
  /** Their captions, END included. */
  captions: PaddedBatch;
  /** Words in all shards of the batch: losses are divided by it, so that shards add up. */
  pieces: number;
  /** A number of its own for each shard of each step. */
  shardSeed: number;
  /** b, the moving average of the rewards so far. */
  baseline: number;
}

export interface CaptioningShard extends ShardModel<ShardBatch> {
  readonly model: CaptionModel;
}

export async function createShard({
  config,
  start,
  grid,
  trainGrid,
  seed,
  weights,
}: ShardInit): Promise<CaptioningShard> {
  await loadGradients();
  await useHeedBackend();
  const model = new CaptionModel(config, start ?? seed, grid);
  const variables = trainGrid ? model.variables : model.teller.parameters.variables;
  const gradients = ({ pixels, captions, pieces, shardSeed, baseline }: ShardBatch) => {
    const lossOf = (annotations: tf.Tensor3D) =>
      model.teller.loss(annotations, captions, { ...weights, pieces, seed: shardSeed, baseline });
    if (trainGrid) return namedGradients(variables, () => tf.tidy(() => lossOf(model.annotations(pixels))));
    // A grid that stays as it is needs no gradient, and no tape.
    const annotations = model.annotations(pixels);
    const found = namedGradients(variables, () => lossOf(annotations));
    annotations.dispose();
    return found;
  };
  return { model, variables, gradients };
}
