import * as tf from "@tensorflow/tfjs-core";
import { maskAttention } from "../../attention/feature/mask-attention.ts";
import { RandomStream } from "../../core/random.ts";
import { linear } from "../../ops/linear.ts";
import { descend } from "./descend.ts";
import { constant, count, weight } from "./weights.ts";

/** A trained net on y = Π x_i: its number of parameters and its mean squared error on new points. */
export interface ProductFit {
  parameters: number;
  mse: number;
}

export interface ProductOptions {
  /** How many numbers are multiplied; each is uniform with variance 1, so that y has variance 1 too. */
  factors: number;
  /** Units of each hidden layer. */
  width: number;
  /** @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

const BATCH = 256;
const HELD_OUT = 4096;
const STEPS = 3000;

interface Net {
  variables: Record<string, tf.Variable>;
  apply(x: tf.Tensor2D): tf.Tensor2D;
}

/**
 * A net whose only non-linearity is a mask made of the input: h₁ = x V₁ ⊙ x W₁, h_n = x V_n ⊙ h_{n−1} W_n, one layer
 * less than there are factors, without biases; its answer is the sum of the last layer.
 */
export async function fitMasks(options: ProductOptions): Promise<ProductFit> {
  return trained(options, (random) => {
    const { factors, width } = options;
    const variables: Record<string, tf.Variable> = {};
    for (let n = 1; n < factors; n++) {
      variables[`v${n}`] = weight(random, [factors, width]);
      variables[`w${n}`] = weight(random, [n === 1 ? factors : width, width]);
    }
    const apply = (x: tf.Tensor2D) => {
      let hidden = x;
      for (let n = 1; n < factors; n++) {
        hidden = maskAttention(layer(hidden, variables, `w${n}`), layer(x, variables, `v${n}`));
      }
      return tf.sum<tf.Tensor2D>(hidden, 1, true);
    };
    return { variables, apply };
  });
}

/** The plain net beside it: layers of tanh units, which sum and squash and multiply nothing. */
export async function fitPlain(options: ProductOptions & { layers: number }): Promise<ProductFit> {
  return trained(options, (random) => {
    const { factors, width, layers } = options;
    const variables: Record<string, tf.Variable> = {};
    for (let n = 0; n < layers; n++) {
      variables[`w${n}`] = weight(random, [n === 0 ? factors : width, width]);
      variables[`b${n}`] = constant([width]);
    }
    variables.out = weight(random, [width, 1]);
    variables.bias = constant([1]);
    const apply = (x: tf.Tensor2D) => {
      let hidden = x;
      for (let n = 0; n < layers; n++) hidden = tf.tanh(layer(hidden, variables, `w${n}`, `b${n}`));
      return layer(hidden, variables, "out", "bias");
    };
    return { variables, apply };
  });
}

/** Plain nets to try, [layers, width], by their number of parameters. */
const PLAIN: Record<number, readonly (readonly [layers: number, width: number])[]> = {
  2: [
    [1, 3],
    [1, 4],
    [1, 8],
    [2, 8],
  ],
  3: [
    [1, 16],
    [2, 8],
    [1, 64],
    [2, 16],
    [2, 32],
    [2, 64],
  ],
  4: [
    [1, 16],
    [2, 8],
    [2, 16],
    [1, 64],
    [2, 32],
    [2, 64],
  ],
};
const MASK_WIDTH: Record<number, number> = { 2: 1, 3: 4, 4: 4 };
const REACHED = 1e-3;

/**
 * Both curves, error by parameters: the net of masks, and plain nets from the smallest to the first that comes under
 * 10⁻³ of the variance. `share` is the largest ratio of parameters over 2, 3 and 4 factors.
 */
export async function compareProducts(onProgress?: (share: number) => void): Promise<Record<string, number>> {
  const figures: Record<string, number> = { worstMse: 0, share: 0 };
  for (const factors of [2, 3, 4]) {
    const masks = await fitMasks({ factors, width: MASK_WIDTH[factors]! });
    figures[`masks${factors}Of${masks.parameters}`] = masks.mse;
    figures.worstMse = Math.max(figures.worstMse!, masks.mse);
    let smallest = Number.NaN;
    for (const [n, [layers, width]] of PLAIN[factors]!.entries()) {
      const plain = await fitPlain({ factors, layers, width });
      figures[`plain${factors}Of${plain.parameters}`] = plain.mse;
      onProgress?.((factors - 2 + (n + 1) / PLAIN[factors]!.length) / 3);
      if (plain.mse > REACHED) continue;
      smallest = plain.parameters;
      break;
    }
    // No plain net reached it: there is nothing to compare with, and NaN keeps no bar.
    figures.share = Math.max(figures.share!, masks.parameters / smallest);
  }
  return figures;
}

/** A layer of named variables, with or without a bias. */
function layer(x: tf.Tensor2D, variables: Record<string, tf.Variable>, w: string, b?: string): tf.Tensor2D {
  const bias = b === undefined ? undefined : (variables[b] as unknown as tf.Tensor1D);
  return linear(x, variables[w] as unknown as tf.Tensor2D, bias);
}

async function trained(
  { factors, seed = 1, onProgress }: ProductOptions,
  make: (random: RandomStream) => Net,
): Promise<ProductFit> {
  const { variables, apply } = make(new RandomStream(seed, 0));
  const points = new RandomStream(seed, 1);
  const error = (rows: number) => {
    const x = draw(points, rows, factors);
    return tf.mean(tf.squaredDifference(tf.reshape(apply(x), [rows]), tf.prod(x, 1))) as tf.Scalar;
  };
  try {
    await descend(variables, () => error(BATCH), { steps: STEPS, learningRate: 0.01, onProgress });
    return { parameters: count(variables), mse: tf.tidy(() => error(HELD_OUT)).dataSync()[0]! };
  } finally {
    tf.dispose(variables);
  }
}

function draw(random: RandomStream, rows: number, factors: number): tf.Tensor2D {
  const side = Math.sqrt(3);
  const values = Float32Array.from({ length: rows * factors }, () => side * (2 * random.uniform() - 1));
  return tf.tensor2d(values, [rows, factors]);
}
