/**
 * Elements at other places, as words of 32 bits whatever they hold, for any number of axes: what stock does for floats and few
 * axes alone. One thread an element of the output, which finds its place along each axis, innermost first.
 */
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Gpu } from "../gpu.ts";
import { perElement, type Uniform } from "../shader.ts";

interface Axis {
  /** Places along the axis of the output. */
  readonly size: number;
  /** Elements of x from one of them to the next. */
  readonly stride: number;
  /** Places of the output before the first of x, and places of x. @default none, and all */
  readonly before?: number;
  readonly within?: number;
}

/** The elements of x at the axes of an output; `fill`, as bits, where there are none. */
function rearranged(gpu: Gpu, x: TensorInfo, axes: readonly Axis[], fill = 0): TensorInfo {
  const shape = axes.map(({ size }) => size);
  const out = gpu.output(shape, x.dtype);
  const fields = axes.flatMap(({ size, stride, before = 0, within = size }, n): [string, Uniform][] => [
    [`size${n}`, ["u32", size]],
    [`stride${n}`, ["u32", stride]],
    [`before${n}`, ["u32", before]],
    [`within${n}`, ["u32", within]],
  ]);
  // A place before the first wraps to a large one.
  const places = axes.map(
    (_, n) => `  let place${n} = rest % u.size${n} - u.before${n};
  rest /= u.size${n};
  isThere = isThere && place${n} < u.within${n};
  at += place${n} * u.stride${n};`,
  );
  const pass = perElement(
    {
      label: "rearranged",
      buffers: { x: "u32", out: "u32" },
      writes: ["out"],
      uniforms: { n: ["u32", util.sizeFromShape(shape)], fill: ["u32", fill], ...Object.fromEntries(fields) },
    },
    `  var rest = i;
  var at = 0u;
  var isThere = true;
${places.reverse().join("\n")}
  if (isThere) { out[i] = x[at]; } else { out[i] = u.fill; }`,
  );
  gpu.run([pass], { x, out });
  return out;
}

/** The axes of x in the order `perm`. */
export function transposed(gpu: Gpu, x: TensorInfo, perm: readonly number[]): TensorInfo {
  const strides = [...util.computeStrides(x.shape), 1];
  return rearranged(
    gpu,
    x,
    perm.map((axis) => ({ size: x.shape[axis]!, stride: strides[axis]! })),
  );
}

/** x with `fill` before and after it along each axis. */
export function padded(
  gpu: Gpu,
  x: TensorInfo,
  paddings: readonly (readonly [before: number, after: number])[],
  fill: number,
): TensorInfo {
  const strides = [...util.computeStrides(x.shape), 1];
  const axes = x.shape.map((within, n) => {
    const [before, after] = paddings[n]!;
    return { size: before + within + after, stride: strides[n]!, before, within };
  });
  const bits = x.dtype === "float32" ? new Uint32Array(Float32Array.of(fill).buffer)[0]! : fill;
  return rearranged(gpu, x, axes, bits);
}
