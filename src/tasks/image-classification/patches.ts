import type { ImageFormat } from "./config.ts";

/**
 * Grey images as the tokens of a Vision Transformer: patches in rows from the top, the pixels of each in rows.
 *
 *     out[n, r·columns + c, i·patch + j] = (pixels[n, r·patch + i, c·patch + j] / 255 − mean) / deviation
 *
 * @param pixels [N, height, width], 0 … 255
 * @returns [N, rows·columns, patch²]
 */
export function patchesOf(
  pixels: ArrayLike<number>,
  { height: H, width: W, patch: P, mean, deviation }: ImageFormat,
): Float32Array {
  const out = new Float32Array(pixels.length);
  let at = 0;
  for (let corner = 0; corner < pixels.length; corner += H * W)
    for (let y = 0; y < H; y += P)
      for (let x = 0; x < W; x += P)
        for (let i = 0; i < P; i++)
          for (let j = 0; j < P; j++)
            out[at++] = (pixels[corner + (y + i) * W + x + j]! / 255 - mean) / deviation;
  return out;
}
