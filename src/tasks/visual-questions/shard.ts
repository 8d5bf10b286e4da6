// The module that each thread of a training run imports: one replica of the model, gradients of one shard.
import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import {
  type AskedQuestions,
  type CoAttentionConfig,
  CoAttentionTransformer,
} from "../../models/co-attention-transformer.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { namedGradients } from "../../train/named-gradients.ts";
import type { ShardModel } from "../../train/shards.ts";
import { pictureTensor } from "./encode.ts";
import { type GroundedWords, groundingLoss } from "./grounding.ts";

export interface ShardInit {
  config: CoAttentionConfig;
  seed: number;
  groundingWeight: number;
  /** The first values of the grid; random ones without. */
  grid?: Record<string, Float32Array>;
  /** Whether the grid learns, at some time of the run. */
  trainGrid: boolean;
}

/** A piece of a batch, with what ties it to the whole. */
export interface ShardBatch {
  /** The pictures: [B, height, width], 0 … 255; or their features, where the grid does not learn. */
  pictures: Uint8Array | Float32Array;
  /** Of a picture, or of its features. */
  shape: [height: number, width: number, channels: number];
  questions: Required<AskedQuestions>;
  /** [N] */
  answers: Int32Array;
  /** Questions in all shards of the batch, and words whose item is known: losses are divided by them, so that shards add up. */
  asked: number;
  named: number;
  grounded: GroundedWords;
}

export interface QuestionShard extends ShardModel<ShardBatch> {
  readonly model: CoAttentionTransformer;
}

export async function createShard(init: ShardInit): Promise<QuestionShard> {
  await loadGradients();
  await useHeedBackend();
  const { config, seed, groundingWeight, grid = {}, trainGrid } = init;
  const model = new CoAttentionTransformer(config, seed);
  for (const [name, values] of Object.entries(grid)) {
    const variable = model.parameters.variables[name]!;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  const withoutGrid = model.parameters.without("grid/*");
  const variables = trainGrid ? model.parameters.variables : withoutGrid;
  const gradients = (batch: ShardBatch) => {
    const isKept = batch.pictures instanceof Float32Array;
    const made = namedGradients(isKept ? withoutGrid : variables, () =>
      tf.tidy(() => {
        const isGrounded = groundingWeight > 0 && batch.grounded.words.length > 0;
        const { logits, wordMaps } = model.answer(featuresOf(batch, model), batch.questions, {
          wordMaps: isGrounded,
        });
        const answers = tf.tensor1d(batch.answers, "int32");
        const loss = tf.div<tf.Scalar>(tf.sum(softmaxCrossEntropy(logits, answers)), batch.asked);
        if (!isGrounded) return loss;
        const share = groundingWeight / batch.named;
        return tf.add<tf.Scalar>(loss, tf.mul(groundingLoss(wordMaps!, batch.grounded), share));
      }),
    );
    if (!isKept || !trainGrid) return made;
    // A grid whose features are kept does not move: Adam leaves what never had a gradient as it is.
    const still = Object.entries(variables).filter(([name]) => !(name in withoutGrid));
    const zeros = still.map(([name, variable]) => [name, tf.zerosLike(variable)] as const);
    return { ...made, grads: { ...made.grads, ...Object.fromEntries(zeros) } };
  };
  return { model, variables, gradients };
}

function featuresOf({ pictures, shape }: ShardBatch, model: CoAttentionTransformer): tf.Tensor4D {
  const [height, width] = shape;
  if (pictures instanceof Uint8Array) return model.features(pictureTensor(pictures, { height, width }));
  const B = pictures.length / shape.reduce((product, n) => product * n, 1);
  return tf.tensor4d(pictures, [B, ...shape]);
}
