import type { TransformerConfig } from "../../models/transformer/config.ts";
import { vit } from "../../models/transformer/presets/vit.ts";

/** How a classifier reads an image. */
export interface ImageFormat {
  /** Pixels of a column and of a row. */
  height: number;
  width: number;
  /** Side of a patch in pixels; it divides height and width. */
  patch: number;
  /** Of pixel / 255: a model reads (pixel / 255 − mean) / deviation. */
  mean: number;
  deviation: number;
}

/** The sizes of a Vision Transformer that classifies grey images. */
export interface ClassifierConfig {
  image: ImageFormat;
  layers: number;
  /** C */
  width: number;
  heads: number;
  /** F */
  inner: number;
  dropout: number;
  classes: number;
}

/** Rows and columns of patches. */
export function gridOf({ height, width, patch }: ImageFormat): readonly [rows: number, columns: number] {
  return [height / patch, width / patch];
}

export function vitConfig({ image, ...sizes }: ClassifierConfig): TransformerConfig {
  const [rows, columns] = gridOf(image);
  return vit({ ...sizes, patches: rows * columns, patchSize: image.patch ** 2 });
}
