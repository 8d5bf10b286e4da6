import * as tf from "@tensorflow/tfjs-core";
import { maskAttention } from "../../src/attention/feature/mask-attention.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { type Metrics, SEEDS } from "../claim.ts";
import { descend, prepare } from "../descend.ts";
import { constant, count, weight } from "../variables.ts";

const BATCH = 256;
const HELD_OUT = 4096;
/** Masks learn in one round. Plain nets go on while a round lowers their error by a twentieth, for ten times as long. */
const MASK_STEPS = 3000;
const [ROUND_STEPS, ROUNDS, IMPROVED] = [5000, 6, 0.95];
/** The error that counts as multiplying; the product has variance 1. */
const REACHED = 1e-3;

interface Net {
  variables: Record<string, tf.Variable & tf.Tensor>;
  apply(x: tf.Tensor2D): tf.Tensor2D;
}

/**
 * A net whose only non-linearity is a mask made of the input, one unit wide: h₁ = x v₁ ⊙ x w₁, h_n = x v_n ⊙ h_{n−1} w_n,
 * one layer less than there are factors, without biases.
 */
function maskNet(random: RandomStream, factors: number): Net {
  const variables: Net["variables"] = {};
  for (let n = 1; n < factors; n++) {
    variables[`v${n}`] = weight(random, [factors, 1]);
    variables[`w${n}`] = weight(random, [n === 1 ? factors : 1, 1]);
  }
  const apply = (x: tf.Tensor2D) => {
    let hidden = x;
    for (let n = 1; n < factors; n++) {
      hidden = maskAttention(layer(hidden, variables, `w${n}`), layer(x, variables, `v${n}`));
    }
    return hidden;
  };
  return { variables, apply };
}

/** The plain net beside it: layers of tanh units, which sum and squash and multiply nothing. */
function plainNet(random: RandomStream, factors: number, [layers, width]: Size): Net {
  const variables: Net["variables"] = {};
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
}

/** A layer of named variables, with or without a bias. */
function layer(x: tf.Tensor2D, variables: Net["variables"], w: string, b?: string): tf.Tensor2D {
  return linear(x, variables[w] as tf.Tensor2D, b === undefined ? undefined : (variables[b] as tf.Tensor1D));
}

type Size = readonly [layers: number, width: number];

/** Plain nets to try, by their number of parameters. */
const PLAIN: Readonly<Record<number, readonly Size[]>> = {
  2: [
    [1, 3],
    [2, 2],
    [1, 4],
  ],
  3: [
    [2, 3],
    [1, 8],
    [2, 4],
    [1, 12],
    [2, 6],
    [1, 16],
  ],
  4: [
    [1, 16],
    [2, 8],
    [1, 32],
    [2, 12],
    [1, 48],
    [2, 16],
  ],
};

/**
 * Both curves, error by parameters: nets of masks one unit wide, the worst of three seeds, and plain nets, the best of
 * three seeds, from the smallest to the first that comes below 10⁻³ of the variance. `share<N>` is the ratio of their
 * parameters for N factors.
 */
export async function compareProducts(onProgress: (share: number) => void): Promise<Metrics> {
  await prepare();
  const metrics: Metrics = { worstMse: 0 };
  for (const factors of [2, 3, 4]) {
    let parameters = Number.NaN;
    for (const seed of SEEDS) {
      const net = maskNet(new RandomStream(seed, 0), factors);
      parameters = count(net.variables);
      const mse = await train(net, factors, seed, { steps: MASK_STEPS, rounds: 1 });
      metrics.worstMse = Math.max(metrics.worstMse!, mse);
    }
    metrics[`masks${factors}`] = parameters;
    let smallest = Number.NaN;
    for (const [n, size] of PLAIN[factors]!.entries()) {
      let best = Number.POSITIVE_INFINITY;
      for (const seed of SEEDS) {
        if (best <= REACHED) break;
        const net = plainNet(new RandomStream(seed, 0), factors, size);
        smallest = count(net.variables);
        best = Math.min(best, await train(net, factors, seed, { steps: ROUND_STEPS, rounds: ROUNDS }));
      }
      metrics[`plain${factors}Of${smallest}`] = best;
      onProgress((factors - 2 + (n + 1) / PLAIN[factors]!.length) / 3);
      if (best <= REACHED) break;
      // Where no plain net gets there, there is nothing to compare with, and NaN reaches no threshold.
      smallest = Number.NaN;
    }
    metrics[`share${factors}`] = parameters / smallest;
  }
  return metrics;
}

/** Trains a net on y = Π x_i, each x_i uniform with variance 1; gives its mean squared error on new points. */
async function train(
  { variables, apply }: Net,
  factors: number,
  seed: number,
  { steps, rounds }: { steps: number; rounds: number },
): Promise<number> {
  const points = new RandomStream(seed, 1);
  const error = (random: RandomStream, rows: number) => {
    const x = draw(random, rows, factors);
    return tf.mean<tf.Scalar>(tf.squaredDifference(tf.reshape(apply(x), [rows]), tf.prod(x, 1)));
  };
  let mse = Number.POSITIVE_INFINITY;
  try {
    for (let round = 0; round < rounds && mse > REACHED; round++) {
      await descend(variables, () => error(points, BATCH), { steps, learningRate: 0.01 });
      const before = mse;
      mse = tf.tidy(() => error(new RandomStream(seed, 2), HELD_OUT)).dataSync()[0]!;
      if (mse > IMPROVED * before) break;
    }
    return mse;
  } finally {
    tf.dispose(variables);
  }
}

function draw(random: RandomStream, rows: number, factors: number): tf.Tensor2D {
  const side = Math.sqrt(3);
  const values = Float32Array.from({ length: rows * factors }, () => side * (2 * random.uniform() - 1));
  return tf.tensor2d(values, [rows, factors]);
}
