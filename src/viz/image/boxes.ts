/** A point in pixels of an image: x to the right, y down, the centre of the first pixel at 0, 0. */
export type Point = readonly [x: number, y: number];

/** The four corners of a glimpse on its image, from the top left one clockwise. */
export type Box = readonly [Point, Point, Point, Point];

/** One axis of a Gaussian glimpse: centre of the first Gaussian and distance of the next, in pixels. */
export interface GaussianAxis {
  readonly u: number;
  readonly d: number;
}

/** The centres of the outermost Gaussians: u … u + (n − 1)·d on each axis. */
export function gaussianBox(y: GaussianAxis, x: GaussianAxis, [h, w]: readonly [number, number]): Box {
  const [top, bottom] = [y.u, y.u + (h - 1) * y.d];
  const [left, right] = [x.u, x.u + (w - 1) * x.d];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

/**
 * The warped corners of a spatial transformer's grid.
 *
 *     (x, y)ᵀ = θ (i, j, 1)ᵀ for i, j = ±1,    pixel = (1 + x)(W − 1)/2 with aligned corners, ((1 + x)·W − 1)/2 without
 *
 * θ is [[a, b, c], [d, e, f]], row 0 for x, as six numbers. Without aligned corners ±1 are the outer edges.
 */
export function affineBox(
  theta: ArrayLike<number>,
  [H, W]: readonly [number, number],
  alignCorners: boolean,
): Box {
  const pixel = (t: number, size: number) =>
    alignCorners ? ((t + 1) * (size - 1)) / 2 : ((t + 1) * size - 1) / 2;
  const corner = (i: number, j: number): Point => [
    pixel(theta[0]! * i + theta[1]! * j + theta[2]!, W),
    pixel(theta[3]! * i + theta[4]! * j + theta[5]!, H),
  ];
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
}
