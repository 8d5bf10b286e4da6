// The module that each thread of a training run imports: one replica of the model, gradients of one shard.
import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../core/random.ts";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import { Transformer } from "../../models/transformer/transformer.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { namedGradients } from "../../train/named-gradients.ts";
import type { ShardModel } from "../../train/shards.ts";
import { type Augmentation, augmented } from "./augment.ts";
import { type ClassifierConfig, vitConfig } from "./config.ts";
import { encodeImages } from "./encode.ts";

export interface ShardInit {
  config: ClassifierConfig;
  seed: number;
  smoothing: number;
  augmentation: Augmentation;
}

/** A piece of a batch, with what ties it to the whole. */
export interface ShardBatch {
  /** [N, height, width], 0 … 255. */
  pixels: Uint8Array;
  /** [N] */
  labels: Int32Array;
  /** Images in all shards of the batch: losses are divided by it, so that shards add up. */
  images: number;
  /** A number of its own for each shard of each step. */
  shardSeed: number;
}

export interface ClassifierShard extends ShardModel<ShardBatch> {
  readonly model: Transformer;
}

/** Streams of a shard's seed. */
const OF_AUGMENTATION = 1;

export async function createShard({
  config,
  seed,
  smoothing,
  augmentation,
}: ShardInit): Promise<ClassifierShard> {
  await loadGradients();
  await useHeedBackend();
  const model = new Transformer(vitConfig(config), seed);
  const { variables } = model.parameters;
  const gradients = ({ pixels, labels, images, shardSeed }: ShardBatch) => {
    const random = new RandomStream(shardSeed, OF_AUGMENTATION);
    const seen = augmented(pixels, config.image, augmentation, random);
    return namedGradients(variables, () =>
      tf.tidy(() => {
        const states = encodeImages(model, seen, config.image, { dropoutSeed: shardSeed });
        const asked = tf.tensor1d(labels, "int32");
        const losses = softmaxCrossEntropy(model.classLogits(states), asked, { smoothing });
        return tf.div<tf.Scalar>(tf.sum(losses), images);
      }),
    );
  };
  return { model, variables, gradients };
}
