import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { gpt2, Transformer, tokenLoss } from "../../src/models/transformer/index.ts";
import { namedGradients } from "../../src/train/named-gradients.ts";
import { prepare } from "../descend.ts";

const [LAYERS, WIDTH, HEADS, VOCABULARY] = [12, 64, 4, 64];
const [B, T] = [4, 32];

/**
 * The norm of the first layer's gradient as a multiple of the last one's, in a stack of 12 layers before its first step,
 * for the loss of random tokens. Far from 1 it vanishes or explodes on its way down.
 */
export async function gradientRatio(preNorm: boolean, seed: number): Promise<number> {
  await prepare();
  const sizes = { layers: LAYERS, width: WIDTH, heads: HEADS, vocabulary: VOCABULARY, positions: T };
  const model = new Transformer({ ...gpt2(sizes), preNorm, finalNorm: preNorm, dropout: 0 }, seed);
  const random = new RandomStream(seed, 1);
  const draw = () =>
    tf.tensor2d(
      Int32Array.from({ length: B * T }, () => random.integer(VOCABULARY)),
      [B, T],
      "int32",
    );
  const { grads } = namedGradients(model.parameters.variables, () =>
    tf.tidy(() => tokenLoss(model.logits(model.decode({ tokens: draw() })), draw())),
  );
  const normOf = (layer: number) => {
    const own = Object.entries(grads).filter(([name]) => name.startsWith(`decoder/${layer}/`));
    return Math.hypot(...own.map(([, gradient]) => tf.tidy(() => tf.norm(gradient).dataSync()[0]!)));
  };
  const ratio = normOf(0) / normOf(LAYERS - 1);
  tf.dispose(grads);
  model.dispose();
  return ratio;
}
