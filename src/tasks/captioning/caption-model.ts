import * as tf from "@tensorflow/tfjs-core";
import { sinusoidalEncoding2d } from "../../attention/position/sinusoidal-2d.ts";
import { convolutionalGrid, convolutionalGridSpecs, DEFAULT_GRID } from "../../models/convolutional-grid.ts";
import { type ParameterSpecs, Parameters } from "../../models/parameters.ts";
import type { ShowAttendAndTellConfig } from "../../models/show-attend-and-tell/config.ts";
import { showAttendAndTellParameters } from "../../models/show-attend-and-tell/parameters.ts";
import { ShowAttendAndTell } from "../../models/show-attend-and-tell/show-attend-and-tell.ts";
import { tidy } from "../../ops/tidy.ts";
import { GRID } from "../scenes/grid/scene-grid.ts";
import { sceneTensor } from "../scenes/scene-tensor.ts";

/** Channels that say where a cell is. Features of a black ground are the same everywhere: by them left is not told from right. */
const PLACE = 16;
/** Waves of rows and columns reach from 1 to this many cells, over 2π. */
const BASE = 20;

/** A decoder's sizes, without those that words and grid decide. */
export type TellerSizes = Omit<ShowAttendAndTellConfig, "vocabulary" | "annotation">;

export const tellerConfig = (sizes: TellerSizes, vocabulary: number): ShowAttendAndTellConfig => ({
  ...sizes,
  vocabulary,
  annotation: DEFAULT_GRID.at(-1)!.channels + PLACE,
});

/** Names and shapes of all parameters of a model of captions. */
export const captionModelSpecs = (config: ShowAttendAndTellConfig): ParameterSpecs => ({
  ...convolutionalGridSpecs(GRID),
  ...showAttendAndTellParameters(config),
});

/** Values by name, apart by whose they are. */
function apart<T>(values: Readonly<Record<string, T>>): {
  grid: Record<string, T>;
  teller: Record<string, T>;
} {
  const isOfGrid = ([name]: [string, T]) => name.startsWith(`${GRID}/`);
  const entries = Object.entries(values);
  return {
    grid: Object.fromEntries(entries.filter(isOfGrid)),
    teller: Object.fromEntries(entries.filter((entry) => !isOfGrid(entry))),
  };
}

/** A convolutional grid over a scene and the decoder that captions it: the cells of the grid are the places. */
export class CaptionModel {
  readonly grid: Parameters;
  readonly teller: ShowAttendAndTell;

  /** @param start a seed, the values of both, or a seed with the values of the grid alone */
  constructor(
    config: ShowAttendAndTellConfig,
    start: number | Readonly<Record<string, Float32Array>>,
    grid?: Readonly<Record<string, Float32Array>>,
  ) {
    const given = typeof start === "number" ? undefined : apart(start);
    this.teller = new ShowAttendAndTell(config, given?.teller ?? (start as number));
    const first = grid ?? given?.grid ?? (start as number);
    this.grid = Parameters.start("CaptionModel", convolutionalGridSpecs(GRID), first);
  }

  /** Every parameter by name. */
  get variables(): Record<string, tf.Variable> {
    return { ...this.grid.variables, ...this.teller.parameters.variables };
  }

  get size(): number {
    return this.grid.size + this.teller.parameters.size;
  }

  /** The features of the cells and where each is: pixels of B scenes → [B, rows·columns, C + 16]. */
  annotations(pixels: Uint8Array): tf.Tensor3D {
    return tidy(() => {
      const features = convolutionalGrid(this.grid, GRID, sceneTensor(pixels));
      const [B, rows, columns, C] = features.shape;
      const places = sinusoidalEncoding2d(rows, columns, PLACE, { base: BASE });
      const both = tf.concat([features, tf.tile(tf.expandDims(places), [B, 1, 1, 1])], 3);
      return tf.reshape(both, [B, rows * columns, C + PLACE]);
    });
  }

  dispose(): void {
    this.grid.dispose();
    this.teller.dispose();
  }
}
