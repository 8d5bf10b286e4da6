import * as tf from "@tensorflow/tfjs-core";
import {
  convolutionalGrid,
  convolutionalGridSpecs,
  DEFAULT_GRID,
} from "../../../models/convolutional-grid.ts";
import { dense, denseSpecs } from "../../../models/maps.ts";
import { type ParameterSpecs, Parameters } from "../../../models/parameters.ts";
import type { BoundingBox } from "../../../models/set/bounding-boxes.ts";
import { softmaxCrossEntropy } from "../../../ops/softmax-cross-entropy.ts";
import { tidyData } from "../../../ops/tidy.ts";
import { type GridSize, massInside } from "../cells.ts";
import { sceneTensor } from "../scene-tensor.ts";

/** What a grid's parameters are called in every model that has one: `grid/0/kernel` and so on. */
export const GRID = "grid";
const CELL = "cell";
/** Rows and columns of `DEFAULT_GRID` over a scene. */
export const GRID_SIZE: GridSize = [8, 8];

export const sceneGridSpecs = (classes: number): ParameterSpecs => ({
  ...convolutionalGridSpecs(GRID),
  ...denseSpecs(CELL, DEFAULT_GRID.at(-1)!.channels, classes + 1),
});

/** A convolutional grid whose cells say what lies over them: a class, or nothing. Other models begin with its features. */
export class SceneGrid {
  readonly classes: number;
  readonly parameters: Parameters;

  constructor(classes: number, start: number | Readonly<Record<string, Float32Array>>) {
    this.classes = classes;
    this.parameters = Parameters.start("SceneGrid", sceneGridSpecs(classes), start);
  }

  /** Of each cell: pixels of B scenes → [B·rows·columns, classes + 1]. */
  logits(pixels: Uint8Array): tf.Tensor2D {
    const features = convolutionalGrid(this.parameters, GRID, sceneTensor(pixels));
    return tf.reshape(dense(this.parameters, CELL, features), [-1, this.classes + 1]);
  }

  /** The cross-entropy of cells with these classes, summed over cells. */
  loss(pixels: Uint8Array, labels: Int32Array): tf.Scalar {
    return tf.sum(softmaxCrossEntropy(this.logits(pixels), tf.tensor1d(labels, "int32")));
  }

  /** The class that each of these boxes of each scene most likely holds, by the chances of the cells within. */
  name(pixels: Uint8Array, boxes: readonly (readonly BoundingBox[])[]): number[][] {
    const [rows, columns] = GRID_SIZE;
    const width = this.classes + 1;
    const chances = tidyData(() => tf.softmax(this.logits(pixels)).dataSync<"float32">());
    return boxes.map((ofScene, b) => {
      const cells = chances.subarray(b * rows * columns * width, (b + 1) * rows * columns * width);
      return ofScene.map((box) => {
        const scores = Array.from({ length: this.classes }, (_, label) => {
          const map = Float32Array.from(
            { length: rows * columns },
            (_, cell) => cells[cell * width + label]!,
          );
          const total = map.reduce((sum, chance) => sum + chance, 0);
          return massInside(map, GRID_SIZE, box) * total;
        });
        return scores.indexOf(Math.max(...scores));
      });
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }
}
