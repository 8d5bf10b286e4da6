import * as tf from "@tensorflow/tfjs-core";
import { gaussianGlimpse, spatialTransformer } from "../../src/attention/glimpse/index.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import type { Metrics } from "../claim.ts";
import { medianOf } from "../statistics.ts";

/** Sides of the image and of the glimpse. */
const SIZES = [
  [32, 8],
  [256, 32],
  [512, 64],
] as const;

/** Runs before any is timed are for the engine to compile. */
const [BATCH, WARM, RUNS] = [8, 30, 41];

/** `ratio<H>`, how many times as fast a spatial transformer is, and the milliseconds of both, for each size. */
export async function glimpseRatios(onProgress: (share: number) => void): Promise<Metrics> {
  await useHeedBackend();
  const metrics: Metrics = {};
  for (const [n, [H, h]] of SIZES.entries()) {
    const { gaussian, transformer } = timeGlimpses(H, h);
    metrics[`ratio${H}`] = gaussian / transformer;
    metrics[`gaussianMs${H}`] = gaussian;
    metrics[`transformerMs${H}`] = transformer;
    onProgress((n + 1) / SIZES.length);
  }
  return metrics;
}

/** Milliseconds forward of a batch of 8 images of one channel: the medians of runs that take turns. */
function timeGlimpses(H: number, h: number): { gaussian: number; transformer: number } {
  const image = tf.randomNormal<tf.Rank.R4>([BATCH, H, H, 1], 0, 1, "float32", 1);
  const number = (value: number) => tf.fill<tf.Rank.R1>([BATCH], value);
  const axis = { u: number(H / 4), d: number(H / 2 / h), s: number(1) };
  const [half, nothing] = [number(0.5), number(0)];
  const theta = { scaleX: half, shiftX: nothing, scaleY: half, shiftY: nothing };
  const run = {
    gaussian: () => gaussianGlimpse(image, { y: axis, x: axis }, [h, h]).output,
    transformer: () => spatialTransformer(image, theta, [h, h], { alignCorners: true }).output,
  };
  const times: Record<keyof typeof run, number[]> = { gaussian: [], transformer: [] };
  for (let n = 0; n < WARM + RUNS; n++) {
    for (const name of ["gaussian", "transformer"] as const) {
      const begun = performance.now();
      const output = run[name]();
      output.dataSync();
      const took = performance.now() - begun;
      output.dispose();
      if (n >= WARM) times[name].push(took);
    }
  }
  tf.dispose([image, axis, half, nothing]);
  return { gaussian: medianOf(times.gaussian), transformer: medianOf(times.transformer) };
}
