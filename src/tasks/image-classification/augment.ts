import type { RandomStream } from "../../core/random.ts";

/** How training images are changed, so that no two passes see the same ones. */
export interface Augmentation {
  /** The most pixels that an image is moved by, up or down and left or right. */
  shift: number;
  /** Whether every second image, by chance, is seen in a mirror: left is right. */
  flip: boolean;
}

/**
 * Images moved and mirrored by chance; what moves in from outside is background, 0.
 *
 * @param pixels [N, height, width]
 * @returns the same shape
 */
export function augmented(
  pixels: Uint8Array,
  { height: H, width: W }: { height: number; width: number },
  { shift, flip }: Augmentation,
  random: RandomStream,
): Uint8Array {
  const out = new Uint8Array(pixels.length);
  for (let corner = 0; corner < pixels.length; corner += H * W) {
    const down = random.integer(2 * shift + 1) - shift;
    const right = random.integer(2 * shift + 1) - shift;
    const mirrored = random.integer(2) === 1 && flip;
    for (let y = Math.max(0, down); y < Math.min(H, H + down); y++)
      for (let x = Math.max(0, right); x < Math.min(W, W + right); x++) {
        const from = x - right;
        out[corner + y * W + x] = pixels[corner + (y - down) * W + (mirrored ? W - 1 - from : from)]!;
      }
  }
  return out;
}
