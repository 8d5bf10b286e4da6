// The module that each thread of a training run imports: one replica of the detector, gradients of one shard.
import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { SceneObject } from "../../models/set/matching.ts";
import { namedGradients } from "../../train/named-gradients.ts";
import type { ShardModel } from "../../train/shards.ts";
import type { DetectorConfig } from "./config.ts";
import { SceneDetector } from "./scene-detector.ts";

export interface ShardInit {
  config: DetectorConfig;
  classes: number;
  seed: number;
  /** The values of a grid to begin with. */
  grid?: Record<string, Float32Array>;
  trainGrid: boolean;
}

export interface ShardBatch {
  /** [scenes, side, side], 0 … 255. */
  pixels: Uint8Array;
  /** What each scene holds. */
  objects: readonly (readonly SceneObject[])[];
  /** Shards of the batch, whose losses are averaged. */
  shards: number;
}

export interface DetectionShard extends ShardModel<ShardBatch> {
  readonly model: SceneDetector;
}

export async function createShard(init: ShardInit): Promise<DetectionShard> {
  const { config, classes, seed, grid, trainGrid } = init;
  await loadGradients();
  await useHeedBackend();
  const model = new SceneDetector(config, classes, { seed, ...(grid && { grid }) });
  const variables = trainGrid ? model.variables : { ...model.transformer.parameters.variables };
  const gradients = ({ pixels, objects, shards }: ShardBatch) => {
    // A grid that stays as it is needs no gradient: its cells are made before the tape runs.
    const still = trainGrid ? undefined : model.features(pixels);
    const result = namedGradients(variables, () =>
      tf.tidy(() => tf.div<tf.Scalar>(model.loss(still ?? model.features(pixels), objects).loss, shards)),
    );
    still?.dispose();
    return result;
  };
  return { model, variables, gradients };
}
