import { RandomStream } from "../../../src/core/random.ts";
import { encodePng } from "../../../src/viz/png.ts";

/** A number that code can hold as it is shown: one decimal. */
const tenth = (x: number) => Math.round(x * 10) / 10;

/**
 * Three channels [H][W][3] in which the seed has put a disc, stripes and noise: what there is to find stands in one channel, at
 * one place.
 */
export function channels(seed: number, H: number, W: number): number[][][] {
  const random = new RandomStream(seed, 40);
  const [y, x] = [2 + random.integer(H - 4), 2 + random.integer(W - 4)];
  return Array.from({ length: H }, (_, r) =>
    Array.from({ length: W }, (_, c) => [
      Math.hypot(r - y, c - x) < 2.3 ? 1 : 0,
      (r + c) % 4 === 0 ? 0.2 : 0,
      tenth(0.2 * random.uniform()),
    ]),
  );
}

/** A grey picture [H][W]: a bright cross and a ring on a slope of grey, where the seed puts them. */
export function picture(seed: number, H: number, W: number): number[][] {
  const random = new RandomStream(seed, 41);
  const [y, x] = [6 + random.integer(4), 8 + random.integer(4)];
  const [b, a] = [y > 7 ? 3 : H - 4, x > 9 ? 4 : W - 4];
  return Array.from({ length: H }, (_, r) =>
    Array.from({ length: W }, (_, c) => {
      const isCross =
        Math.max(Math.abs(r - y), Math.abs(c - x)) < 4 && (Math.abs(r - y) < 1 || Math.abs(c - x) < 1);
      const isRing = Math.abs(Math.hypot(r - b, c - a) - 2.2) < 0.7;
      return isCross ? 1 : isRing ? 0.7 : tenth(0.1 + (0.2 * c) / W);
    }),
  );
}

/** A picture as the bytes of a PNG. */
export function pngOf(rows: readonly (readonly number[])[]): Uint8Array {
  const data = Uint8Array.from(rows.flat(), (x) => Math.round(255 * Math.max(0, Math.min(1, x))));
  return encodePng({ height: rows.length, width: rows[0]!.length, channels: 1, data });
}
