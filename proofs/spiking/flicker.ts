import * as tf from "@tensorflow/tfjs-core";
import { spikingOperations } from "../../src/attention/spiking/spiking-operations.ts";
import { RandomStream } from "../../src/core/random.ts";
import { Spikformer } from "../../src/models/spikformer.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { type Metrics, part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";
import { meanOf } from "../statistics.ts";
import type { StepCost } from "../step-cost.ts";
import { DIRECTIONS, drawStreams, EVENTS, PATCHES, STEPS, type Streams } from "./event-camera.ts";

const SIZES = {
  patches: PATCHES,
  events: EVENTS,
  width: 24,
  heads: 2,
  inner: 32,
  layers: 1,
  classes: DIRECTIONS.length,
  surrogate: "arctan",
} as const;
const [TRAINING, BATCH, HELD_OUT, COUNTED] = [800, 32, 1000, 100];
/** A net is marked every so many steps: of the one without attention the best mark counts. */
const MARK = 100;
/** Streams of random numbers of a seed. */
const [OF_TRAINING, OF_TEST, OF_OTHER] = [1, 2, 3];

/** What a net may see: all patches, or each itself alone. */
type Sight = tf.Tensor | undefined;

/**
 * A Spikformer learns which way the bar moves that flickers in step with a light.
 *
 * `accuracy` is the share that is right on 1000 new streams; `alone` that of the same net whose patches see themselves alone,
 * at the best of its marks; `otherLight` that of the trained net where the light has a flicker of its own. The additions of
 * attention are counted from the spikes of a stream, beside the multiplications that real numbers would need.
 */
export async function learnFlicker(seed: number, onProgress: (share: number) => void): Promise<Metrics> {
  await prepare();
  const model = new Spikformer(SIZES, seed);
  const alone = new Spikformer(SIZES, seed);
  const itself = tf.tidy(() => tf.cast(tf.eye(PATCHES), "bool"));
  try {
    const cost = await train(model, undefined, seed, part(onProgress, 0, 2));
    const marks: number[] = [];
    await train(alone, itself, seed, part(onProgress, 1, 2), () =>
      marks.push(accuracyOf(alone, itself, heldOut(seed))),
    );
    const other = drawStreams(new RandomStream(seed, OF_OTHER), HELD_OUT, { inStep: false });
    return {
      accuracy: accuracyOf(model, undefined, heldOut(seed)),
      alone: Math.max(...marks),
      otherLight: accuracyOf(model, undefined, other),
      ...countOperations(model, drawStreams(new RandomStream(seed, OF_OTHER), COUNTED)),
      ...cost,
    };
  } finally {
    model.dispose();
    alone.dispose();
    itself.dispose();
  }
}

const heldOut = (seed: number) => drawStreams(new RandomStream(seed, OF_TEST), HELD_OUT);

async function train(
  model: Spikformer,
  sight: Sight,
  seed: number,
  onProgress: (share: number) => void,
  onMark: () => void = () => {},
): Promise<StepCost> {
  const random = new RandomStream(seed, OF_TRAINING);
  const loss = () => {
    const streams = drawStreams(random, BATCH);
    const labels = tf.tensor1d(streams.labels, "int32");
    return tf.mean<tf.Scalar>(softmaxCrossEntropy(scores(model, sight, streams), labels));
  };
  return descend(model.parameters.variables, loss, {
    steps: TRAINING,
    learningRate: 0.02,
    clipNorm: 1,
    onProgress,
    onStep: (step) => {
      if (step % MARK === 0) onMark();
    },
  });
}

function scores(model: Spikformer, allow: Sight, { events, labels }: Streams): tf.Tensor2D {
  const x = tf.tensor4d(events, [STEPS, labels.length, PATCHES, EVENTS]);
  return model.logits(x, allow ? { allow } : {});
}

function accuracyOf(model: Spikformer, sight: Sight, streams: Streams): number {
  const found = tidyData(() => tf.argMax(scores(model, sight, streams), 1).dataSync());
  return meanOf(Array.from(found, (label, n): number => (label === streams.labels[n] ? 1 : 0)));
}

/** Of one stream, in the mean. */
function countOperations(model: Spikformer, streams: Streams): Metrics {
  const n = streams.labels.length;
  const x = tf.tidy(() => tf.tensor4d(streams.events, [STEPS, n, PATCHES, EVENTS]));
  let [accumulations, multiplyAccumulates] = [0, 0];
  const onSpikes = (_: number, { q, k, v }: { q: tf.Tensor4D; k: tf.Tensor4D; v: tf.Tensor4D }) => {
    const counted = spikingOperations(q, k, v);
    accumulations += counted.accumulations / n;
    multiplyAccumulates += counted.multiplyAccumulates / n;
  };
  tf.dispose([model.logits(x, { onSpikes }), x]);
  return { accumulations, multiplyAccumulates };
}
