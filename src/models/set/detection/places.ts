/** Where cells and queries stand, and how a network is told. */
import * as tf from "@tensorflow/tfjs-core";
import { writeSinusoids } from "../../../attention/position/sinusoids.ts";

/** A point of an image, as shares of its width and height. */
export type AnchorPoint = readonly [x: number, y: number];

/** The longest wavelength of the positions is 2π times as many cells of the grid. */
const BASE = 100;

/** Q points spread evenly over the image: rows of points, the last of which may have fewer. */
export function anchorPoints(Q: number): AnchorPoint[] {
  const columns = Math.ceil(Math.sqrt(Q));
  const rows = Math.ceil(Q / columns);
  return Array.from({ length: Q }, (_, q) => {
    const row = Math.floor(q / columns);
    const inRow = row === rows - 1 ? Q - row * columns : columns;
    return [((q % columns) + 0.5) / inRow, (row + 0.5) / rows] as const;
  });
}

/** Sinusoids of rows and columns, fractions of cells too: [N, C]. */
export function encodedPlaces(
  places: readonly (readonly [row: number, column: number])[],
  C: number,
): tf.Tensor2D {
  const out = new Float32Array(places.length * C);
  for (const [n, [row, column]] of places.entries()) {
    writeSinusoids(out, n * C, C / 2, row, BASE);
    writeSinusoids(out, n * C + C / 2, C / 2, column, BASE);
  }
  return tf.tensor2d(out, [places.length, C]);
}

/** The places of all cells of a grid, row by row: [rows·columns, C]. */
export function placesOfGrid([rows, columns]: readonly [number, number], C: number): tf.Tensor2D {
  const cells = Array.from(
    { length: rows * columns },
    (_, s) => [Math.floor(s / columns), s % columns] as const,
  );
  return encodedPlaces(cells, C);
}

/** Boxes σ(raw + the centre's inverse): offsets [B, N, 4] of 0 are boxes of half the image around the points. */
export function boxesAround(points: readonly AnchorPoint[], raw: tf.Tensor3D): tf.Tensor3D {
  const inverse = points.map(([x, y]) => [logit(x), logit(y), 0, 0]);
  return tf.sigmoid(tf.add<tf.Tensor3D>(raw, tf.tensor2d(inverse)));
}

const logit = (share: number) => Math.log(share / (1 - share));
