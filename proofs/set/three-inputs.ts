import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { type PerceiverInputs, PerceiverIO } from "../../src/models/set/perceiver-io.ts";
import { classLoss } from "../../src/models/transformer/classifier.ts";
import { linearSchedule } from "../../src/train/schedule.ts";
import { descend, prepare } from "../descend.ts";

export interface ThreeInputsOptions {
  /** @default 1 */
  seed?: number;
  /** @default 2500 */
  steps?: number;
  onProgress: (share: number) => void;
  /** Called now and then with the step and the accuracy on new examples. @default never */
  onScore?: (step: number, accuracy: number) => void;
}

const [WORDS, FILLERS, LENGTH] = [4, 8, 7];
const SIDE = 6;
const [FRAMES, PITCHES] = [8, 4];
const COLORS = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
];
const BATCH = 64;
const HELD_OUT = 1024;

const CONFIG = {
  inputs: {
    text: { shape: [LENGTH], bands: 3, vocabulary: WORDS + FILLERS },
    image: { shape: [SIDE, SIDE], bands: 2, width: 3 },
    sound: { shape: [FRAMES], bands: 3, width: PITCHES },
  },
  ...{ inputWidth: 32, latents: 8, width: 32, heads: 4, inner: 64, layers: 2 },
  ...{ queries: 1, queryWidth: 0, outputs: COLORS.length },
};

/**
 * A text names a quarter of an image by two words among fillers: above or below, left or right. The quarters have four colours.
 * A sound, the energies of four pitches in each of eight frames, is low or high: low asks for the colour there, high for the one
 * two further on. Without the text or the image the right answer is as likely as three others, without the sound as likely as
 * one other.
 */
function drawExamples(random: RandomStream, count: number): { inputs: PerceiverInputs; answers: number[] } {
  const text = new Int32Array(count * LENGTH);
  const image = random.fillNormal(new Float32Array(count * SIDE * SIDE * 3), 0, 0.2);
  const sound = random.fillNormal(new Float32Array(count * FRAMES * PITCHES), 0, 0.2);
  const answers = Array.from({ length: count }, (_, n) => {
    const [row, column, pitch] = [random.integer(2), random.integer(2), random.integer(2)];
    for (let t = 0; t < LENGTH; t++) text[n * LENGTH + t] = WORDS + random.integer(FILLERS);
    const places = random.shuffle([...Array(LENGTH).keys()]);
    text[n * LENGTH + places[0]!] = row;
    text[n * LENGTH + places[1]!] = 2 + column;
    const colors = random.shuffle([...COLORS.keys()]);
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const quarter = 2 * Math.floor((2 * pixel) / (SIDE * SIDE)) + Math.floor((2 * (pixel % SIDE)) / SIDE);
      COLORS[colors[quarter]!]!.forEach((value, c) => {
        image[(n * SIDE * SIDE + pixel) * 3 + c]! += value;
      });
    }
    // One of the two lower pitches, or of the two higher ones, in each frame.
    for (let t = 0; t < FRAMES; t++) sound[(n * FRAMES + t) * PITCHES + 2 * pitch + random.integer(2)]! += 1;
    return (colors[2 * row + column]! + 2 * pitch) % COLORS.length;
  });
  const inputs = {
    text: tf.tensor2d(text, [count, LENGTH], "int32"),
    image: tf.tensor4d(image, [count, SIDE, SIDE, 3]),
    sound: tf.tensor3d(sound, [count, FRAMES, PITCHES]),
  };
  return { inputs, answers };
}

/** Shares of right answers to new examples: with all inputs, and without one of them. */
export async function learnThreeInputs(options: ThreeInputsOptions) {
  const { seed = 1, steps = 2500, onProgress, onScore } = options;
  await prepare();
  const model = new PerceiverIO(CONFIG, seed);
  const answer = (inputs: PerceiverInputs) =>
    tf.squeeze(model.decode(model.encode(inputs)), [1]) as tf.Tensor2D;
  const accuracyWithout = (missing?: string) =>
    tf.tidy(() => {
      const { inputs, answers } = drawExamples(new RandomStream(seed, 2), HELD_OUT);
      const given = Object.fromEntries(Object.entries(inputs).filter(([name]) => name !== missing));
      const right = tf.equal(tf.argMax(answer(given), 1), tf.tensor1d(answers, "int32"));
      return tf.mean(tf.cast(right, "float32")).dataSync()[0]!;
    });
  try {
    const random = new RandomStream(seed, 1);
    const loss = () => {
      const { inputs, answers } = drawExamples(random, BATCH);
      return classLoss(answer(inputs), answers);
    };
    const onStep = (step: number) => step % 250 === 0 && onScore?.(step, accuracyWithout());
    await descend(model.parameters.variables, loss, {
      steps,
      // Without a slow start one seed of three never learns what the sound is for.
      learningRate: linearSchedule({ peak: 1e-3, warmupSteps: 300, steps }),
      clipNorm: 1,
      onStep,
      onProgress,
    });
    return {
      accuracy: accuracyWithout(),
      withoutText: accuracyWithout("text"),
      withoutImage: accuracyWithout("image"),
      withoutSound: accuracyWithout("sound"),
    };
  } finally {
    model.dispose();
  }
}
