import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { averagePrecision } from "../../src/models/set/average-precision.ts";
import { boxOverlap } from "../../src/models/set/bounding-boxes.ts";
import { DetectionTransformer } from "../../src/models/set/detection-transformer.ts";
import type { SceneObject } from "../../src/models/set/matching.ts";
import { descend, prepare } from "../descend.ts";
import { CLASSES, INK } from "../glimpse/glyphs.ts";

export interface DetectionLearnOptions {
  /** @default 1 */
  seed?: number;
  /** @default 3000 */
  steps?: number;
  onProgress: (share: number) => void;
  /** Called now and then with the step and the AP50 of new scenes. @default never */
  onScore?: (step: number, precision: number) => void;
}

const SIDE = 24;
const MOST = 3;
const BATCH = 32;
const HELD_OUT = 256;
const NOISE = 0.1;

const CONFIG = {
  ...{ channels: 1, convolutions: [16, 32], width: 32, heads: 4, inner: 64 },
  ...{ encoderLayers: 1, decoderLayers: 2, queries: 9, classes: CLASSES },
};

/** Scenes of one to three glyphs of 5 or 10 pixels, which do not touch, under noise. */
export function drawScenes(
  random: RandomStream,
  count: number,
): { images: tf.Tensor4D; objects: SceneObject[][] } {
  const pixels = random.fillNormal(new Float32Array(count * SIDE * SIDE), 0, NOISE);
  const objects = Array.from({ length: count }, (_, n) => {
    const wanted = 1 + random.integer(MOST);
    const scene: SceneObject[] = [];
    // A place that is taken is drawn again; there is room for three of any size.
    while (scene.length < wanted) {
      const label = random.integer(CLASSES);
      const zoom = 1 + random.integer(2);
      const size = INK[label]!.length * zoom;
      const [y, x] = [random.integer(SIDE - size + 1), random.integer(SIDE - size + 1)];
      const box = [(x + size / 2) / SIDE, (y + size / 2) / SIDE, size / SIDE, size / SIDE] as const;
      if (scene.some((other) => boxOverlap(other.box, box).iou > 0)) continue;
      scene.push({ label, box });
      for (let h = 0; h < size; h++) {
        for (let w = 0; w < size; w++) {
          pixels[(n * SIDE + y + h) * SIDE + x + w]! +=
            INK[label]![Math.floor(h / zoom)]![Math.floor(w / zoom)]!;
        }
      }
    }
    return scene;
  });
  return { images: tf.tensor4d(pixels, [count, SIDE, SIDE, 1]), objects };
}

/** AP50 of new scenes, and of the same model before it learned. */
export async function learnDetection(options: DetectionLearnOptions) {
  const { seed = 1, steps = 3000, onProgress, onScore } = options;
  await prepare();
  const model = new DetectionTransformer(CONFIG, seed);
  const score = () =>
    tf.tidy(() => {
      const { images, objects } = drawScenes(new RandomStream(seed, 2), HELD_OUT);
      const found = model.detect(images, { least: 0 });
      return averagePrecision(found.map((detections, n) => ({ found: detections, objects: objects[n]! })));
    });
  try {
    const untrained = score();
    const random = new RandomStream(seed, 1);
    const loss = () => {
      const { images, objects } = drawScenes(random, BATCH);
      return model.loss(images, objects).loss;
    };
    const onStep = (step: number) => step % 250 === 0 && onScore?.(step, score());
    await descend(model.parameters.variables, loss, {
      steps,
      learningRate: 1e-3,
      clipNorm: 1,
      onStep,
      onProgress,
    });
    return { precision: score(), untrained };
  } finally {
    model.dispose();
  }
}
