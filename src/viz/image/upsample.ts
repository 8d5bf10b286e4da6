/**
 * A map of h × w weights over an image of H × W pixels: each pixel's share of its cell's weight, so that the sum stays.
 *
 *     nearest:   out[y, x] = map[⌊y·h/H⌋, ⌊x·w/W⌋] · hw/HW
 *     smooth:    bilinear between the centres of the cells, then scaled to the same sum
 *
 * Cost: O(H·W). Smoothing is drawn only where it is asked for: it invents detail that the weights do not have.
 */
export function upsample(
  map: ArrayLike<number>,
  [h, w]: readonly [number, number],
  [H, W]: readonly [number, number],
  smooth = false,
): Float64Array {
  const out = new Float64Array(H * W);
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++)
      out[y * W + x] = smooth
        ? bilinear(map, h, w, ((y + 0.5) * h) / H - 0.5, ((x + 0.5) * w) / W - 0.5)
        : map[Math.floor((y * h) / H) * w + Math.floor((x * w) / W)]!;
  const [before, after] = [sumOf(map), sumOf(out)];
  return after === 0 ? out : out.map((value) => (value * before) / after);
}

function bilinear(map: ArrayLike<number>, h: number, w: number, y: number, x: number): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, right] = [y - top, x - left];
  const at = (row: number, column: number) =>
    map[Math.min(h - 1, Math.max(0, row)) * w + Math.min(w - 1, Math.max(0, column))]!;
  const upper = at(top, left) * (1 - right) + at(top, left + 1) * right;
  const lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right;
  return upper * (1 - down) + lower * down;
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < values.length; n++) sum += values[n]!;
  return sum;
}
