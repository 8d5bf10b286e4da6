import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import * as tf from "@tensorflow/tfjs-core";
import { type PaddedBatch, padBatch } from "../../../src/data/batching.ts";
import { classLoss } from "../../../src/models/transformer/classifier.ts";
import { tidyData } from "../../../src/ops/tidy.ts";
import type { PretrainedModel } from "../../../src/tasks/pretrained/model.ts";
import { Adam } from "../../../src/train/adam.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";
import type { ClassesInput, ClassesStep } from "../train-protocol.ts";
import type { RunContext } from "./model.ts";

const STEPS = 24;
/** Of the new map, which begins with nothing, and of the last layer, which knows much. */
const LEARNING_RATES = { map: 0.1, layer: 0.0005 };
const CLASSES = 2;
const MOST_SENTENCES = 40;

/** The last layers as they were published: every training begins with them. */
const published = new WeakMap<PretrainedModel, Record<string, Float32Array>>();

/**
 * Fine-tunes a published encoder on typed sentences of two classes: its last layer, and a linear map on the mean state of a
 * sentence. Layers below stay as they are.
 */
export class ClassTrainer {
  readonly #model: PretrainedModel;
  readonly #input: ClassesInput;
  readonly #layer: Record<string, tf.Variable>;

  /** @throws Error with a message for the reader, where a class has no sentence, or there are too many */
  constructor(model: PretrainedModel, input: ClassesInput) {
    const { sentences } = input;
    const isTold = (label: number) => sentences.some((one) => one.label === label);
    if (!(isTold(0) && isTold(1))) throw new Error("type at least one sentence of each class");
    if (sentences.length > MOST_SENTENCES)
      throw new Error(`${MOST_SENTENCES} sentences are learnt at most, got ${sentences.length}`);
    this.#model = model;
    this.#input = input;
    const last = `encoder/${model.model.config.encoderLayers - 1}/`;
    const own = Object.entries(model.model.parameters.variables).filter(([name]) => name.startsWith(last));
    this.#layer = Object.fromEntries(own);
  }

  async run(context: RunContext): Promise<ClassesStep> {
    const { sentences, probe } = this.#input;
    const labels = sentences.map(({ label }) => label);
    const asked = probe.trim() === "" ? sentences[0]!.text : probe;
    const texts = [...sentences.map(({ text }) => text), asked];
    const batch = padBatch(texts.map((text) => [...this.#model.encode(text).ids]));
    this.#restore();
    const C = this.#model.model.config.width;
    const map = { weight: tf.variable(tf.zeros([C, CLASSES])), bias: tf.variable(tf.zeros([CLASSES])) };
    const optimizers = [
      { variables: map, adam: new Adam({ learningRate: LEARNING_RATES.map }) },
      { variables: this.#layer, adam: new Adam({ learningRate: LEARNING_RATES.layer, clipNorm: 1 }) },
    ];
    const logits = () =>
      tf.add<tf.Tensor2D>(tf.matMul(this.#means(batch), map.weight as tf.Tensor2D), map.bias);
    try {
      for (let step = 1; ; step++) {
        let chances: Float32Array | undefined;
        const { loss, grads } = namedGradients({ ...map, ...this.#layer }, () => {
          const scores = logits();
          chances = tidyData(() => tf.softmax(scores).dataSync<"float32">());
          return classLoss(tf.slice(scores, [0, 0], [labels.length, CLASSES]), labels);
        });
        const right =
          labels.filter((label, n) => chances![CLASSES * n + label]! > 0.5).length / labels.length;
        const told = { step, steps: STEPS, loss, right, probe: chances![CLASSES * labels.length + 1]! };
        const isLast = step === STEPS || context.isStopped;
        if (!isLast)
          for (const { variables, adam } of optimizers) {
            const own = Object.keys(variables).map((name) => [name, grads[name]!] as const);
            adam.apply(Object.fromEntries(own), variables);
          }
        tf.dispose(grads);
        if (isLast) return told;
        await context.step(told);
      }
    } finally {
      for (const { adam } of optimizers) adam.dispose();
      tf.dispose(map);
    }
  }

  #restore(): void {
    const kept = published.get(this.#model);
    if (kept) for (const [name, values] of Object.entries(kept)) this.#assign(name, values);
    const values = Object.entries(this.#layer).map(
      ([name, one]) => [name, one.dataSync<"float32">().slice()] as const,
    );
    published.set(this.#model, kept ?? Object.fromEntries(values));
  }

  #assign(name: string, values: Float32Array): void {
    const variable = this.#layer[name]!;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }

  /** The mean state of each text, [texts, C], of length 1, as sentence embedders take it. */
  #means({ ids, lengths, rows, width }: PaddedBatch): tf.Tensor2D {
    return tf.tidy(() => {
      const tokens = tf.tensor2d(ids, [rows, width], "int32");
      const states = this.#model.model.encode({ tokens, lengths });
      const shares = Array.from(ids, (_, n) => {
        const [row, column] = [Math.floor(n / width), n % width];
        return column < lengths[row]! ? 1 / lengths[row]! : 0;
      });
      const means = tf.matMul(tf.tensor3d(shares, [rows, 1, width]), states);
      const flat = tf.reshape(means, [rows, -1]) as tf.Tensor2D;
      return tf.div(flat, tf.norm(flat, 2, 1, true)) as tf.Tensor2D;
    });
  }
}
