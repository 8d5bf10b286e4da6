import type { RandomStream } from "../../src/core/random.ts";

/** Side of an image in pixels. */
export const SIDE = 24;
export const SHAPES = ["circle", "square", "triangle", "cross"] as const;
type Shape = (typeof SHAPES)[number];

/** Shapes on a dark, noisy ground. */
export interface ShapeImages {
  /** [count, SIDE, SIDE], 0 … 255. */
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  /** 1 where a pixel belongs to the shape: [count, SIDE, SIDE]. */
  readonly inside: Uint8Array;
}

/** Whether the point (x, y), in radii from the middle, belongs to a shape; y grows downwards. */
const IS_INSIDE: Readonly<Record<Shape, (x: number, y: number) => boolean>> = {
  circle: (x, y) => x * x + y * y <= 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.9,
  triangle: (x, y) => y <= 0.9 && 2 * Math.abs(x) <= y + 1,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.3 && Math.max(Math.abs(x), Math.abs(y)) <= 1,
};

const [SMALLEST, LARGEST] = [4, 8];
const NOISE = 0.2;

/** Images of one shape each: its kind, radius (4 … 8 pixels), place and brightness (0.5 … 1) by chance, under noise. */
export function drawShapes(random: RandomStream, count: number): ShapeImages {
  const pixels = new Uint8Array(count * SIDE * SIDE);
  const inside = new Uint8Array(pixels.length);
  const labels = new Int32Array(count);
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  for (let n = 0, at = 0; n < count; n++) {
    labels[n] = random.integer(SHAPES.length);
    const isInside = IS_INSIDE[SHAPES[labels[n]!]!];
    const radius = between(SMALLEST, LARGEST);
    const [middleX, middleY] = [between(radius, SIDE - radius), between(radius, SIDE - radius)];
    const brightness = between(0.5, 1);
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++, at++) {
        inside[at] = Number(isInside((x + 0.5 - middleX) / radius, (y + 0.5 - middleY) / radius));
        const value = inside[at]! * brightness + NOISE * random.normal();
        pixels[at] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
  }
  return { pixels, labels, inside };
}
