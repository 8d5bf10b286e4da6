import * as tf from "@tensorflow/tfjs-core";
import { crossAttention } from "../../src/attention/sequence/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { descend, prepare } from "../descend.ts";
import { normal, weight } from "../variables.ts";

export interface CorrespondenceOptions {
  /** Optimiser steps. @default 400 */
  steps?: number;
  /** Examples a step. @default 32 */
  batch?: number;
  /** Of the words' codes, the parameters and the examples. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
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
 */
export async function learnCorrespondence(
  options: CorrespondenceOptions = {},
): Promise<CorrespondenceResult> {
  const { steps = 400, batch = 32, seed = 1, onProgress } = options;
  await prepare();
  const start = new RandomStream(seed, 0);
  const codes = { query: normal(start, [WORDS, C]), memory: normal(start, [WORDS, CM - SAYS]) };
  const parameters = {
    wq: weight<tf.Tensor3D>(start, [C, 1, 16], 0.1),
    wk: weight<tf.Tensor3D>(start, [CM, 1, 16], 0.1),
    wv: weight<tf.Tensor3D>(start, [CM, 1, SAYS], 0.1),
    wo: weight<tf.Tensor3D>(start, [1, SAYS, SAYS], 0.5),
  };
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
    await descend(parameters, loss, { steps, learningRate: 0.02, clipNorm: 1, onProgress });
    return { alignment: measure(), untrained };
  } finally {
    tf.dispose([parameters, codes]);
  }
}
