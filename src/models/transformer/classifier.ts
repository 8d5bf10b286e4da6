import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidy } from "../../ops/tidy.ts";
import { checkTransformer } from "./check-model.ts";
import { fullConfig } from "./config.ts";
import { transformerParameters } from "./parameters.ts";
import { Transformer } from "./transformer.ts";

/**
 * A model that classifies, made of one that does not: the same weights, and a last map of the first state to `classes` scores,
 * through the pooler, as the published classifiers have it. The given model is not to be used any more: its variables are those
 * of the new one, which takes their place in memory.
 *
 * @param seed of the first values of what is new
 * @throws OptionError UNSUPPORTED for a model without an encoder, OPTION
 * @example
 * const base = new Transformer(bert({ layers: 1, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * const model = withClassifier(base, 3);
 * const states = model.encode({ tokens: tf.tensor2d([[3, 1, 4]], [1, 3], "int32") });
 * model.classLogits(states).shape; // [1, 3]
 * model.dispose();
 */
export function withClassifier(model: Transformer, classes: number, seed = 0): Transformer {
  checkTransformer("withClassifier", model);
  if (model.config.encoderLayers === 0 || model.config.decoderLayers > 0) {
    throw new OptionError("UNSUPPORTED", {
      op: "withClassifier",
      rule: "the model must be an encoder alone",
      got: `${model.config.encoderLayers} layers of an encoder and ${model.config.decoderLayers} of a decoder`,
      remedy: "take BERT or one of its kind",
    });
  }
  const config = fullConfig({ ...model.config, pooler: !model.config.classToken, classes });
  return new Transformer(config, model.parameters.refit(transformerParameters(config), seed));
}

/**
 * Mean cross-entropy of classes in nats: logits [B, classes], labels from 0, B of them.
 *
 * @example
 * classLoss(tf.zeros([2, 4]), [3, 1]).dataSync()[0]; // 1.3862943649291992
 */
export function classLoss(logits: tf.Tensor2D, labels: readonly number[]): tf.Scalar {
  return tidy(() => tf.mean(softmaxCrossEntropy(logits, tf.tensor1d([...labels], "int32"))) as tf.Scalar);
}
