import * as tf from "@tensorflow/tfjs-core";
import { crossAttention } from "../../attention/sequence/index.ts";
import { RandomStream } from "../../core/random.ts";
import { learn, prepare } from "./learn.ts";

export interface CorrespondenceOptions {
  /** Optimiser steps. @default 400 */
  steps?: number;
  /** Examples a step. @default 32 */
  batch?: number;
  /** Of the words' codes, the parameters and the examples. @default 1 */
  seed?: number;
  onStep?: (step: number) => void;
}

export interface CorrespondenceResult {
  /** Share of new queries that look most at the memory's word of the same meaning. */
  alignment: number;
  /** The same before training. */
  untrained: number;
}

/** Words, queries and memory of an example, width of a query and of a memory's word and of what it says. */
const [WORDS, T, S, C, CM, SAYS] = [32, 7, 11, 24, 36, 4];
const HELD_OUT = 200;

/** Every word has one code in the language of the queries, and another in that of the memory. */
interface Codes {
  query: tf.Tensor;
  memory: tf.Tensor;
}

const shuffled = (random: RandomStream, n: number) =>
  random.shuffle(Int32Array.from({ length: n }, (_, i) => i));

/** The queries ask for some of a memory's words, in another order; each has a say of its own beside its code. */
function draw(random: RandomStream, { query, memory }: Codes, batch: number) {
  const words = new Int32Array(batch * S);
  const planted = new Int32Array(batch * T);
  for (let b = 0; b < batch; b++) {
    words.set(shuffled(random, WORDS).slice(0, S), b * S);
    planted.set(shuffled(random, S).slice(0, T), b * T);
  }
  const asked = planted.map((s, n) => words[Math.floor(n / T) * S + s]!);
  const says = tf.tensor3d(random.fillNormal(new Float32Array(batch * S * SAYS)), [batch, S, SAYS]);
  const at = tf.tensor2d(planted, [batch, T], "int32");
  return {
    queries: tf.gather(query, tf.tensor2d(asked, [batch, T], "int32")) as tf.Tensor3D,
    memory: tf.concat([tf.gather(memory, tf.tensor2d(words, [batch, S], "int32")), says], 2) as tf.Tensor3D,
    target: tf.matMul(tf.oneHot(at, S, 1, 0, "float32"), says),
    planted,
  };
}

/**
 * A planted correspondence: every query means one word of a memory in another language, and is to repeat what that word
 * says. Nothing tells cross-attention where to look but the error of what it repeats.
 *
 * @example
 * const { alignment } = await learnCorrespondence({ steps: 20 }); // 400 learn it
 */
export async function learnCorrespondence(
  options: CorrespondenceOptions = {},
): Promise<CorrespondenceResult> {
  const { steps = 400, batch = 32, seed = 1, onStep } = options;
  await prepare();
  const start = new RandomStream(seed, 0);
  const normal = (shape: number[], size: number) =>
    tf.mul(tf.tensor(start.fillNormal(new Float32Array(shape.reduce((n, m) => n * m, 1))), shape), size);
  const codes = {
    query: normal([WORDS, C], 1),
    memory: normal([WORDS, CM - SAYS], 1),
  };
  const parameters = tf.tidy(() => ({
    wq: tf.variable(normal([C, 1, 16], 0.1)) as tf.Tensor3D & tf.Variable,
    wk: tf.variable(normal([CM, 1, 16], 0.1)) as tf.Tensor3D & tf.Variable,
    wv: tf.variable(normal([CM, 1, SAYS], 0.1)) as tf.Tensor3D & tf.Variable,
    wo: tf.variable(normal([1, SAYS, SAYS], 0.5)) as tf.Tensor3D & tf.Variable,
  }));
  const measure = () =>
    tf.tidy(() => {
      const { queries, memory, planted } = draw(new RandomStream(seed, 2), codes, HELD_OUT);
      const { weights } = crossAttention(queries, memory, parameters, { weights: true });
      const most = tf.argMax(weights, -1).dataSync();
      return planted.filter((s, n) => most[n] === s).length / planted.length;
    });
  const random = new RandomStream(seed, 1);
  const loss = () => {
    const { queries, memory, target } = draw(random, codes, batch);
    const { output } = crossAttention(queries, memory, parameters);
    return tf.mean(tf.square(tf.sub(output, target))) as tf.Scalar;
  };
  try {
    const untrained = measure();
    await learn(parameters, loss, { steps, learningRate: 0.02, onStep });
    return { alignment: measure(), untrained };
  } finally {
    tf.dispose([parameters, codes]);
  }
}
