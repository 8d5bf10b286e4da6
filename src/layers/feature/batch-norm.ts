import * as tf from "@tensorflow/tfjs-core";
import type { Norm } from "../../attention/feature/index.ts";
import {
  byDefault,
  type Fields,
  flag,
  type LayerCall,
  number,
  positive,
  type WeightTable,
} from "../base/index.ts";
import { AttendingLayer, type returnAttention } from "./attending.ts";

/** The fields of a layer with batch normalisation inside. */
export const normFields = {
  /** Normalise by batch in training, by moving averages otherwise. @default true */
  normalize: byDefault(flag(), true),
  /** Share of a moving average that stays at each step, from 0 to below 1. @default 0.99, as in Keras */
  momentum: byDefault(
    number("from 0 to below 1", (given) => given >= 0 && given < 1),
    0.99,
  ),
  /** ε, added to the variance inside the root; above 0. @default 1e-3, as in Keras */
  epsilon: byDefault(positive(), 1e-3),
};

interface NormConfig {
  readonly normalize: boolean;
  readonly momentum: number;
  readonly epsilon: number;
}

/** A layer of a mechanism that normalises by batch on its way. */
export abstract class NormalizingLayer<
  F extends Fields & typeof normFields & typeof returnAttention,
> extends AttendingLayer<F> {
  get #norm(): NormConfig {
    return this.config as unknown as NormConfig;
  }

  /** The weights of one normalisation, named as Keras names those of BatchNormalization; none without `normalize`. */
  protected normWeights(name: string, width: number): WeightTable<F> {
    if (!this.#norm.normalize) return {};
    const one = (initializer: string, trainable: boolean) => ({ shape: [width], initializer, trainable });
    return {
      [`${name}/gamma`]: one("ones", true),
      [`${name}/beta`]: one("zeros", true),
      [`${name}/moving_mean`]: one("zeros", false),
      [`${name}/moving_variance`]: one("ones", false),
    };
  }

  /** The normalisation as the mechanisms take it: folded, or by batch in training, which moves the averages. */
  protected norm(name: string, { training }: LayerCall): Norm | undefined {
    const { normalize, epsilon } = this.#norm;
    if (!normalize) return undefined;
    const of = (weight: string) => this.weight<tf.Tensor1D>(`${name}/${weight}`);
    const fold = (mean: tf.Tensor1D, variance: tf.Tensor1D) => {
      const scale = tf.div<tf.Tensor1D>(of("gamma"), tf.sqrt(tf.add(variance, epsilon)));
      return { scale, shift: tf.sub<tf.Tensor1D>(of("beta"), tf.mul(mean, scale)) };
    };
    if (!training) return fold(of("moving_mean"), of("moving_variance"));
    return (x) => {
      const axes = x.shape.slice(0, -1).map((_, axis) => axis);
      const mean = tf.mean<tf.Tensor1D>(x, axes);
      const centred = tf.sub(x, mean);
      const variance = tf.mean<tf.Tensor1D>(tf.square(centred), axes);
      this.#move(`${name}/moving_mean`, mean);
      this.#move(`${name}/moving_variance`, variance);
      const factor = tf.div(of("gamma"), tf.sqrt(tf.add(variance, epsilon)));
      return tf.add(tf.mul(centred, factor), of("beta"));
    };
  }

  #move(name: string, value: tf.Tensor1D): void {
    const variable = this.weights.find(({ originalName }) => originalName.endsWith(name))!;
    const { momentum } = this.#norm;
    variable.write(tf.add(tf.mul(variable.read(), momentum), tf.mul(value, 1 - momentum)));
  }
}
