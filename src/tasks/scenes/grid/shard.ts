// The module that each thread of a training run imports: one replica of the grid, gradients of one shard.
import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../../../host/gradients.ts";
import { useHeedBackend } from "../../../host/select.ts";
import { namedGradients } from "../../../train/named-gradients.ts";
import type { ShardModel } from "../../../train/shards.ts";
import { SceneGrid } from "./scene-grid.ts";

export interface ShardInit {
  classes: number;
  seed: number;
}

export interface ShardBatch {
  /** [scenes, side, side], 0 … 255. */
  pixels: Uint8Array;
  /** [scenes·rows·columns] */
  labels: Int32Array;
  /** Cells in all shards of the batch: losses are divided by it, so that shards add up. */
  cells: number;
}

export interface GridShard extends ShardModel<ShardBatch> {
  readonly model: SceneGrid;
}

export async function createShard({ classes, seed }: ShardInit): Promise<GridShard> {
  await loadGradients();
  await useHeedBackend();
  const model = new SceneGrid(classes, seed);
  const { variables } = model.parameters;
  const gradients = ({ pixels, labels, cells }: ShardBatch) =>
    namedGradients(variables, () => tf.tidy(() => tf.div<tf.Scalar>(model.loss(pixels, labels), cells)));
  return { model, variables, gradients };
}
