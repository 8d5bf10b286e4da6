import type * as tf from "@tensorflow/tfjs-core";
import type { StepMap, StepNorm } from "../../ops/decoder-step.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import { packedHeads, packedLinear } from "../../ops/packed.ts";
import { rmsNorm } from "../../ops/rms-norm.ts";
import type { Parameters } from "../parameters.ts";
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
  readonly #parameters: Parameters;
  readonly #prefix: string;
  readonly #addTo: AddTo | undefined;
  readonly config: FullConfig;

  constructor(parameters: Parameters, config: FullConfig, prefix = "", addTo?: AddTo) {
    this.#parameters = parameters;
    this.#prefix = prefix;
    this.#addTo = addTo;
    this.config = config;
  }

  /** The parameters below a name. */
  at(name: string): Weights {
    return new Weights(this.#parameters, this.config, `${this.#prefix}${name}/`, this.#addTo);
  }

  has(name: string): boolean {
    return this.#parameters.has(`${this.#prefix}${name}`);
  }

  get<T extends tf.Tensor | undefined>(name: string): T {
    const variable: tf.Tensor | undefined = this.#parameters.variables[`${this.#prefix}${name}`];
    return variable as T;
  }

  /** x·Wᵀ + b, with the bias where there is one. */
  map<T extends tf.Tensor>(name: string, x: T): T {
    return this.scores(x, `${name}/weight`, `${name}/bias`) as T;
  }

  /** Several maps of one x, each in heads of that width, in one call; undefined where their weights are trainable. */
  packedHeads(names: readonly string[], x: tf.Tensor, width: number): tf.Tensor[] | undefined {
    const maps = names.flatMap((name) => {
      const matrix = this.#parameters.packed[`${this.#prefix}${name}/weight`];
      return matrix ? { matrix, bias: this.get<tf.Tensor1D>(`${name}/bias`) } : [];
    });
    return maps.length === names.length ? packedHeads(x, maps, width) : undefined;
  }

  /** x·Wᵀ + b by the full names of a matrix [out, in] and of a bias that need not be there. */
  scores(x: tf.Tensor, matrix: string, bias: string): tf.Tensor {
    const name = `${this.#prefix}${matrix}`;
    const packed = this.#parameters.packed[name];
    const b = this.get<tf.Tensor1D>(bias);
    const y = packed
      ? packedLinear(x, packed, b)
      : linear(x, this.get<tf.Tensor2D>(matrix), b, { transposed: true });
    return this.#addTo?.(name, x, y) ?? y;
  }

  /** Whether something is added to what matrices make. */
  get isAdapted(): boolean {
    return this.#addTo !== undefined;
  }

  /** Matrix and bias of a map, for a kernel that runs several. */
  mapOf(name: string): StepMap {
    const packed = this.#parameters.packed[`${this.#prefix}${name}/weight`];
    return {
      matrix: packed ?? this.get<tf.Tensor2D>(`${name}/weight`),
      bias: this.get<tf.Tensor1D | undefined>(`${name}/bias`),
    };
  }

  /** The vectors of a norm, for a kernel that runs several. */
  normOf(name: string): StepNorm {
    return {
      gamma: this.get<tf.Tensor1D>(`${name}/gamma`),
      beta: this.get<tf.Tensor1D | undefined>(`${name}/beta`),
    };
  }

  /** Rows of the table of that name: ids [n] → [n, E]. */
  rows(name: string, ids: tf.Tensor1D): tf.Tensor2D {
    return this.#parameters.rows(`${this.#prefix}${name}`, ids);
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
