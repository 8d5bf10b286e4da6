import * as tf from "@tensorflow/tfjs-core";
import type { SafetensorsTensor } from "../core/safetensors.ts";
import { tidy } from "../ops/tidy.ts";
import { copyTensor } from "./copy-tensor.ts";
import type { TrainLoopOptions } from "./loop.ts";
import { refuseOption } from "./options.ts";

const PREFIX = "average/";

type Run = Pick<TrainLoopOptions, "steps" | "step" | "snapshot" | "restore" | "weights">;

/**
 * The running mean of the weights of a run, which translates better than the last of them (Polyak & Juditsky 1992;
 * for Transformers, Vaswani et al. 2017, § 6.1, average the last checkpoints):
 *
 *     mean ← d · mean + (1 − d) · weights,    d = min(decay, (1 + k) / (10 + k))
 *
 * after step k = 0, 1, …, so that the first steps are soon forgotten. It is saved and put back with the run.
 *
 * @example
 * const w = tf.variable(tf.scalar(0));
 * const average = new WeightAverage({ w }, 0.5);
 * average.update(0); // d = 0.1 of the first weights, which the mean begins as
 * average.weights().w.data[0]; // 0
 * average.dispose();
 */
export class WeightAverage {
  readonly #variables: Readonly<Record<string, tf.Variable>>;
  readonly #decay: number;
  #means: Record<string, tf.Tensor> = {};

  /**
   * @param decay from 0 to below 1; 0 keeps the last weights
   * @throws OptionError OPTION
   */
  constructor(variables: Readonly<Record<string, tf.Variable>>, decay: number) {
    if (!(decay >= 0 && decay < 1))
      refuseOption("WeightAverage", "decay", "must be from 0 to below 1", decay);
    this.#variables = variables;
    this.#decay = decay;
  }

  /** Takes in the weights after step k. */
  update(k: number): void {
    const d = Math.min(this.#decay, (1 + k) / (10 + k));
    for (const [name, variable] of Object.entries(this.#variables)) {
      const mean = this.#means[name] ?? variable;
      const next = tidy(() => tf.keep(tf.add(tf.mul(mean, d), tf.mul(variable, 1 - d))));
      this.#means[name]?.dispose();
      this.#means[name] = next;
    }
  }

  /** The means, as copies; before the first step the weights. */
  weights(): Record<string, SafetensorsTensor> {
    const entries = Object.entries(this.#variables);
    return Object.fromEntries(
      entries.map(([name, variable]) => [name, copyTensor(this.#means[name] ?? variable)]),
    );
  }

  /** The run, with the mean of its weights in what it saves, and as the weights that it keeps. */
  of(run: Run): Run {
    return {
      ...run,
      step: async (k) => {
        const done = await run.step(k);
        this.update(k);
        return done;
      },
      snapshot: async () => {
        const { tensors, state } = await run.snapshot();
        const means = Object.entries(this.weights()).map(([name, mean]) => [PREFIX + name, mean] as const);
        return { tensors: { ...tensors, ...Object.fromEntries(means) }, state };
      },
      restore: async ({ tensors, state }) => {
        const entries = Object.entries(tensors);
        const isMean = ([name]: [string, unknown]) => name.startsWith(PREFIX);
        await run.restore({ tensors: Object.fromEntries(entries.filter((one) => !isMean(one))), state });
        this.dispose();
        for (const [name, { shape, data }] of entries.filter(isMean))
          this.#means[name.slice(PREFIX.length)] = tf.tensor(data as Float32Array, shape, "float32");
      },
      weights: () => this.weights(),
    };
  }

  dispose(): void {
    tf.dispose(this.#means);
    this.#means = {};
  }
}
