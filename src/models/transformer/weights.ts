import type * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import type { FullConfig } from "./config.ts";

/**
 * Adds to what a matrix made.
 *
 * @param matrix the full name of a matrix [out, in]
 * @param x what it maps, […, in]
 * @param y what it made of x, […, out]
 */
export type AddTo = (matrix: string, x: tf.Tensor, y: tf.Tensor) => tf.Tensor;

/** What stands beside the matrices of a model and changes what they make, without changing them. */
export interface Adapter {
  /** One forward pass. @param dropoutSeed of this step; without it nothing is dropped */
  pass(dropoutSeed: number | undefined): AddTo;
}

/** Looks up parameters by name, below a prefix. */
export class Weights {
  readonly #variables: Readonly<Record<string, tf.Tensor>>;
  readonly #prefix: string;
  readonly #addTo: AddTo | undefined;
  readonly config: FullConfig;

  constructor(
    variables: Readonly<Record<string, tf.Tensor>>,
    config: FullConfig,
    prefix = "",
    addTo?: AddTo,
  ) {
    this.#variables = variables;
    this.#prefix = prefix;
    this.#addTo = addTo;
    this.config = config;
  }

  /** The parameters below a name. */
  at(name: string): Weights {
    return new Weights(this.#variables, this.config, `${this.#prefix}${name}/`, this.#addTo);
  }

  has(name: string): boolean {
    return `${this.#prefix}${name}` in this.#variables;
  }

  get<T extends tf.Tensor>(name: string): T {
    return this.#variables[`${this.#prefix}${name}`] as T;
  }

  /** x·Wᵀ + b, with the bias where there is one. */
  map<T extends tf.Tensor>(name: string, x: T): T {
    return this.scores(x, `${name}/weight`, `${name}/bias`) as T;
  }

  /** x·Wᵀ + b by the full names of a matrix [out, in] and of a bias that need not be there. */
  scores(x: tf.Tensor, matrix: string, bias: string): tf.Tensor {
    const y = linear(x, this.get<tf.Tensor2D>(matrix), this.get<tf.Tensor1D>(bias), { transposed: true });
    return this.#addTo?.(`${this.#prefix}${matrix}`, x, y) ?? y;
  }

  /** The norm of that name; x itself where there is none. */
  norm<T extends tf.Tensor>(name: string, x: T): T {
    if (!this.has(`${name}/gamma`)) return x;
    const { norm, epsilon } = this.config;
    const gamma = this.get<tf.Tensor1D>(`${name}/gamma`);
    if (norm === "rms") return rmsNorm(x, gamma, { epsilon });
    return layerNorm(x, gamma, this.get<tf.Tensor1D>(`${name}/beta`), { epsilon });
  }
}
