import * as tf from "@tensorflow/tfjs-core";
import type { HalfType } from "../../src/core/half.ts";
import { RandomStream } from "../../src/core/random.ts";
import { gpt2, Transformer, tokenLoss } from "../../src/models/transformer/index.ts";
import { Adam } from "../../src/train/adam.ts";
import { autocast } from "../../src/train/autocast.ts";
import { LossScale } from "../../src/train/loss-scale.ts";
import { namedGradients } from "../../src/train/named-gradients.ts";
import { prepare } from "../descend.ts";

const [SYMBOLS, B, T] = [8, 16, 32];
/** What follows two symbols, and how often: 1.06 nats, below which no loss falls. */
const SHARES = [0.6, 0.2, 0.15, 0.05];

/** A language in which two symbols decide what may follow. */
class Source {
  readonly #next: number[][];

  constructor(seed: number) {
    const random = new RandomStream(seed, 1);
    const all = Array.from({ length: SYMBOLS }, (_, symbol) => symbol);
    this.#next = Array.from({ length: SYMBOLS ** 2 }, () => random.shuffle([...all]).slice(0, SHARES.length));
  }

  /** Ids [B, T] and what follows each. */
  draw(random: RandomStream): { tokens: tf.Tensor2D; labels: tf.Tensor2D } {
    const rows = Array.from({ length: B }, () => {
      const row = [random.integer(SYMBOLS), random.integer(SYMBOLS)];
      while (row.length <= T) {
        let [left, kind] = [random.uniform(), 0];
        while (kind < SHARES.length - 1 && left >= SHARES[kind]!) left -= SHARES[kind++]!;
        row.push(this.#next[row.at(-2)! * SYMBOLS + row.at(-1)!]![kind]!);
      }
      return row;
    });
    const ids = (from: number) =>
      tf.tensor2d(
        rows.flatMap((row) => row.slice(from, from + T)),
        [B, T],
        "int32",
      );
    return { tokens: ids(0), labels: ids(1) };
  }
}

export interface PrecisionOptions {
  type: "float32" | HalfType;
  /** Dynamic loss scaling. @default false */
  scaled?: boolean;
  /** A factor of the loss, which Adam does not see but for its ε: it makes gradients small. @default 1 */
  factor?: number;
  steps: number;
  seed?: number;
  onProgress?: (share: number) => void;
}

/** The loss in nats a symbol of new text, in float32, after training in some precision; and steps that were skipped. */
export async function trainIn(options: PrecisionOptions): Promise<{ loss: number; skipped: number }> {
  const { type, scaled = false, factor = 1, steps, seed = 1, onProgress } = options;
  await prepare();
  const sizes = { layers: 2, width: 32, heads: 4, vocabulary: SYMBOLS, positions: T };
  const model = new Transformer({ ...gpt2(sizes), dropout: 0 }, seed);
  const { variables } = model.parameters;
  const source = new Source(seed);
  const random = new RandomStream(seed, 2);
  const adam = new Adam({ beta2: 0.98, clipNorm: 1 });
  const scale = scaled ? new LossScale({ every: 200 }) : undefined;
  const lossOf = (from: RandomStream) => {
    const { tokens, labels } = source.draw(from);
    return tokenLoss(model.logits(model.decode({ tokens })), labels);
  };
  let [taken, skipped] = [0, 0];
  const step = () => {
    const { grads } = namedGradients(variables, () =>
      tf.tidy(() => {
        const loss = tf.mul<tf.Scalar>(lossOf(random), factor);
        return scale ? scale.scale(loss) : loss;
      }),
    );
    adam.learningRate = 3e-3 * Math.min(1, (taken + 1) / 50, (3 * (steps - taken)) / steps);
    const take = (given: tf.NamedTensorMap) => {
      const back = tf.tidy(() =>
        Object.fromEntries(Object.entries(given).map(([n, g]) => [n, tf.div(g, factor)])),
      );
      adam.apply(back, variables);
      tf.dispose(back);
    };
    if (!scale) take(grads);
    if (!scale || scale.step(grads, take)) taken++;
    else skipped++;
    tf.dispose(grads);
  };
  try {
    while (taken < steps) {
      if (type === "float32") step();
      else autocast(type, step);
      onProgress?.(taken / steps);
      if (taken % 10 === 9) await new Promise((resolve) => setTimeout(resolve));
    }
    const fresh = new RandomStream(seed, 3);
    const losses = Array.from({ length: 20 }, () => tf.tidy(() => lossOf(fresh).dataSync()[0]!));
    return { loss: losses.reduce((a, b) => a + b) / losses.length, skipped };
  } finally {
    adam.dispose();
    model.dispose();
  }
}
