import type * as tf from "@tensorflow/tfjs-core";
import { convolutionalGrid, convolutionalGridSpecs } from "../../models/convolutional-grid.ts";
import { type ParameterSpecs, Parameters } from "../../models/parameters.ts";
import { detectionSpecs } from "../../models/set/detection/config.ts";
import {
  type DetectionOptions,
  type DetectionOutput,
  DetectionTransformer,
} from "../../models/set/detection-transformer.ts";
import type { SceneObject } from "../../models/set/matching.ts";
import type { SetPredictionLoss } from "../../models/set/set-prediction-loss.ts";
import { tidy } from "../../ops/tidy.ts";
import { GRID } from "../scenes/grid/scene-grid.ts";
import { sceneTensor } from "../scenes/scene-tensor.ts";
import { type DetectorConfig, transformerConfig } from "./config.ts";

type Values = Readonly<Record<string, Float32Array>>;

/** The parameters of a detector: those of its grid, `grid/0/kernel` and so on, and those of its queries. */
export const sceneDetectorSpecs = (config: DetectorConfig, classes: number): ParameterSpecs => ({
  ...convolutionalGridSpecs(GRID),
  ...detectionSpecs(transformerConfig(config, classes)),
});

/**
 * A convolutional grid over a scene, and a detection transformer whose queries read its cells.
 *
 *     scene → grid of 8 × 8 cells → a non-local block, where there is one → queries → class and box of each
 */
export class SceneDetector {
  readonly grid: Parameters;
  readonly transformer: DetectionTransformer;

  /**
   * @param start a seed, with the values of a grid where there is one to begin with; or all values by name
   * @throws OptionError OPTION, UNKNOWN, CONFLICT · ShapeError SHAPE, UNKNOWN
   */
  constructor(
    config: DetectorConfig,
    classes: number,
    start: { readonly seed: number; readonly grid?: Values } | Values,
  ) {
    const isSeeded = typeof start.seed === "number";
    const { seed, grid } = start as { seed: number; grid?: Values };
    const of = (isOfGrid: boolean) =>
      Object.fromEntries(
        Object.entries(start as Values).filter(([name]) => name.startsWith(`${GRID}/`) === isOfGrid),
      );
    // The queries first: their configuration is checked before anything is made.
    const queries = isSeeded ? seed : of(false);
    this.transformer = new DetectionTransformer(transformerConfig(config, classes), queries);
    const features = isSeeded ? (grid ?? seed) : of(true);
    try {
      this.grid = Parameters.start("SceneDetector", convolutionalGridSpecs(GRID), features);
    } catch (error) {
      this.transformer.dispose();
      throw error;
    }
  }

  /** Both parts, for what saves or trains them together. */
  get variables(): Record<string, tf.Variable> {
    return { ...this.grid.variables, ...this.transformer.parameters.variables };
  }

  /** Number of scalar parameters. */
  get size(): number {
    return this.grid.size + this.transformer.parameters.size;
  }

  /** The cells of scenes: pixels [B, side, side] → [B, rows, columns, C]. */
  features(pixels: Uint8Array): tf.Tensor4D {
    return tidy(() => convolutionalGrid(this.grid, GRID, sceneTensor(pixels)));
  }

  /** What the queries say of scenes. */
  forward<const O extends DetectionOptions>(pixels: Uint8Array, options: O = {} as O): DetectionOutput<O> {
    return tidy(() => this.transformer.forward(this.features(pixels), options));
  }

  /** The loss of the scenes whose cells these are. */
  loss(features: tf.Tensor4D, objects: readonly (readonly SceneObject[])[]): SetPredictionLoss {
    return this.transformer.loss(features, objects);
  }

  dispose(): void {
    this.grid.dispose();
    this.transformer.dispose();
  }
}
