import { util } from "@tensorflow/tfjs-core";

/** One axis of a walk over two tensors: how many steps, and the bytes that one step moves in each. */
export interface Axis {
  size: number;
  from: number;
  to: number;
}

/** Calls `f` with both offsets for every combination of steps along `axes`, the last one fastest. */
export function walk(axes: Axis[], from: number, to: number, f: (from: number, to: number) => void): void {
  const [axis, ...rest] = axes;
  if (!axis) f(from, to);
  else for (let i = 0; i < axis.size; i++) walk(rest, from + i * axis.from, to + i * axis.to, f);
}

/** Where the element `i` of `to` is read in a tensor of shape `from`. */
export function readingOrder(from: number[], to: number[]): (i: number) => number {
  const strides = util.computeStrides([...from, 1]);
  return (i) => {
    let [rest, at] = [i, 0];
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const place = rest % to[axis]!;
      rest = (rest - place) / to[axis]!;
      const own = axis - (to.length - from.length);
      if (own >= 0 && from[own] !== 1) at += place * strides[own]!;
    }
    return at;
  };
}
