import type * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import type { FullConfig } from "./config.ts";

/** Looks up parameters by name, below a prefix. */
export class Weights {
  readonly #variables: Readonly<Record<string, tf.Tensor>>;
  readonly #prefix: string;
  readonly config: FullConfig;

  constructor(variables: Readonly<Record<string, tf.Tensor>>, config: FullConfig, prefix = "") {
    this.#variables = variables;
    this.#prefix = prefix;
    this.config = config;
  }

  /** The parameters below a name. */
  at(name: string): Weights {
    return new Weights(this.#variables, this.config, `${this.#prefix}${name}/`);
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
    return linear(x, this.get<tf.Tensor2D>(matrix), this.get<tf.Tensor1D>(bias), { transposed: true });
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
