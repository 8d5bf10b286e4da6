import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../../src/core/random.ts";
import { END } from "../../../src/data/bpe.ts";
import {
  ShowAttendAndTell,
  type ShowAttendAndTellConfig,
  showAttendAndTellParameters,
} from "../../../src/models/index.ts";

/** Every size its own: V=11, D=3, m=5, n=7, A=2. */
export function tinyConfig(changes: Partial<ShowAttendAndTellConfig> = {}): ShowAttendAndTellConfig {
  const sizes = { vocabulary: 11, annotation: 3, embedding: 5, decoder: 7, attention: 2 };
  return { ...sizes, kind: "soft", dropout: 0, contextDropout: 0, ...changes };
}

/** A model whose every parameter is far enough from zero for its effect to be seen. */
export function tinyTeller(
  changes: Partial<ShowAttendAndTellConfig> = {},
  seed = 1,
  deviation = 0.6,
): ShowAttendAndTell {
  const config = tinyConfig(changes);
  const values = Object.entries(showAttendAndTellParameters(config)).map(([name, { shape }], stream) => {
    const size = shape.reduce((n, m) => n * m, 1);
    return [name, new RandomStream(seed, stream).fillNormal(new Float32Array(size), 0, deviation)] as const;
  });
  return new ShowAttendAndTell(config, Object.fromEntries(values));
}

export const nested = ({ parameters }: ShowAttendAndTell) =>
  Object.fromEntries(
    Object.entries(parameters.variables).map(([name, x]) => [name, x.arraySync() as unknown]),
  );

/** Features of B images of 13 places. */
export function tinyImages(B: number, seed = 17): tf.Tensor3D {
  return tf.tensor3d(new RandomStream(seed).fillNormal(new Float32Array(B * 13 * 3)), [B, 13, 3]);
}

export const CAPTIONS = [
  [4, 7, 5, END],
  [10, END],
  [6, 6, 9, 8, 4, END],
];
