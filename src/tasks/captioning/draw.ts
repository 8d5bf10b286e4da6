import { type ImageAttentionData, type ImageAttentionOptions, image } from "../../viz/index.ts";
import { SCENE_SIDE } from "../scenes/compose.ts";
import { GRID_SIZE } from "../scenes/grid/scene-grid.ts";
import type { Caption } from "./captioner.ts";

/** A picture and what each word of its caption looked at, as the pictures of attention over an image take it. */
export function captionPicture(pixels: Uint8Array, { words, weights }: Caption): ImageAttentionData {
  const values = Float64Array.from(pixels, (value) => value / 255);
  return { image: { height: SCENE_SIDE, width: SCENE_SIDE, values }, grid: GRID_SIZE, maps: weights, words };
}

/**
 * A strip of the picture, once for each word with what the word looked at: its map upsampled bilinearly with its sum kept.
 *
 * @param pixels [64, 64], what was captioned
 * @returns an SVG document; undefined where there is no word
 * @throws ShapeError SHAPE · OptionError OPTION
 */
export function captionStrip(
  pixels: Uint8Array,
  caption: Caption,
  options: ImageAttentionOptions = {},
): string | undefined {
  if (caption.words.length === 0) return undefined;
  const title = caption.caption;
  return image(captionPicture(pixels, caption), {
    title,
    smooth: true,
    columns: 7,
    panelWidth: 128,
    ...options,
  });
}
