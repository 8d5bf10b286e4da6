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
