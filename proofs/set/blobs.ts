import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { SlotAttentionAutoencoder } from "../../src/models/set/slot-attention-autoencoder.ts";
import { descend, prepare } from "../descend.ts";
import { meanOf } from "../statistics.ts";

export interface BlobsOptions {
  /** @default 1 */
  seed?: number;
  /** @default 1500 */
  steps?: number;
  onProgress: (share: number) => void;
  /** Called now and then with the step and the index of new scenes. @default never */
  onScore?: (step: number, index: number) => void;
}

const SIDE = 16;
const MOST = 3;
const BATCH = 16;
const HELD_OUT = 64;
const COLORS = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [1, 0, 1],
  [0, 1, 1],
];

const CONFIG = {
  ...{ height: SIDE, width: SIDE, channels: 3, features: 32, convolutions: 1 },
  ...{ slots: MOST + 1, slotWidth: 32, inner: 64, iterations: 3 },
};

/** Scenes of two or three discs, which do not touch, each of a colour of its own, and which disc each pixel is of: 0 is none. */
function drawBlobs(random: RandomStream, count: number): { images: tf.Tensor4D; owners: Int32Array[] } {
  const pixels = new Float32Array(count * SIDE * SIDE * 3);
  const owners = Array.from({ length: count }, (_, n) => {
    const owner = new Int32Array(SIDE * SIDE);
    const colors = random.shuffle([...COLORS]);
    const discs: { x: number; y: number; radius: number }[] = [];
    const wanted = 2 + random.integer(MOST - 1);
    while (discs.length < wanted) {
      const radius = 2 + 1.5 * random.uniform();
      const [x, y] = [0, 0].map(() => radius + (SIDE - 2 * radius) * random.uniform()) as [number, number];
      if (discs.some((other) => Math.hypot(other.x - x, other.y - y) < other.radius + radius + 1)) continue;
      discs.push({ x, y, radius });
    }
    discs.forEach(({ x, y, radius }, disc) => {
      for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
        const [h, w] = [Math.floor(pixel / SIDE), pixel % SIDE];
        if (Math.hypot(w + 0.5 - x, h + 0.5 - y) > radius) continue;
        owner[pixel] = disc + 1;
        pixels.set(colors[disc]!, (n * SIDE * SIDE + pixel) * 3);
      }
    });
    return owner;
  });
  return { images: tf.tensor4d(pixels, [count, SIDE, SIDE, 3]), owners };
}

/**
 * The adjusted Rand index of two ways to part the same things (Hubert & Arabie 1985): 1 where they are the same, 0 on average
 * where they have nothing to do with each other.
 */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = (counts: Iterable<number>) => [...counts].reduce((sum, n) => sum + (n * (n - 1)) / 2, 0);
  const tally = (key: (e: number) => string) => {
    const counts = new Map<string, number>();
    for (let e = 0; e < a.length; e++) counts.set(key(e), (counts.get(key(e)) ?? 0) + 1);
    return pairs(counts.values());
  };
  const [both, ofA, ofB] = [
    tally((e) => `${a[e]} ${b[e]}`),
    tally((e) => `${a[e]}`),
    tally((e) => `${b[e]}`),
  ];
  const expected = (ofA * ofB) / pairs([a.length]);
  const most = (ofA + ofB) / 2;
  return most === expected ? 1 : (both - expected) / (most - expected);
}

/** The index over the pixels of discs, and over all pixels, of new scenes; and the error of their pictures. */
export async function learnBlobs(options: BlobsOptions) {
  const { seed = 1, steps = 1500, onProgress, onScore } = options;
  await prepare();
  const model = new SlotAttentionAutoencoder(CONFIG, seed);
  const score = () =>
    tf.tidy(() => {
      const { images, owners } = drawBlobs(new RandomStream(seed, 2), HELD_OUT);
      const { image, masks } = model.forward(images, { seed: 1 });
      const slots = tf.reshape(tf.argMax(masks, 1), [HELD_OUT, -1]).arraySync() as number[][];
      const over = (counts: (owner: number) => boolean) =>
        meanOf(
          owners.map((owner, n) => {
            const own = [...owner.keys()].filter((pixel) => counts(owner[pixel]!));
            return adjustedRandIndex(
              own.map((pixel) => owner[pixel]!),
              own.map((pixel) => slots[n]![pixel]!),
            );
          }),
        );
      const mse = tf.mean(tf.squaredDifference(image, images)).dataSync()[0]!;
      return { ari: over((owner) => owner > 0), ariOfAll: over(() => true), mse };
    });
  try {
    const { ari: untrained } = score();
    const random = new RandomStream(seed, 1);
    let step = 0;
    const loss = () => model.loss(drawBlobs(random, BATCH).images, { seed: step++ });
    const onStep = (done: number) => done % 250 === 0 && onScore?.(done, score().ari);
    // The rate warms up: without that slots may stay alike for good (Locatello et al. 2020, appendix E.3).
    const learningRate = (at: number) => 2e-3 * Math.min(1, (at + 1) / 200, (3 * (steps - at)) / steps);
    await descend(model.parameters.variables, loss, { steps, learningRate, clipNorm: 1, onStep, onProgress });
    return { ...score(), untrained };
  } finally {
    model.dispose();
  }
}
