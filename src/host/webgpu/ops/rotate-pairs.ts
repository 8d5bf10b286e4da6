import { util } from "@tensorflow/tfjs-core";
import type { GpuKernel } from "../register.ts";
import { perElement } from "../shader.ts";

const ROTATE = `
  let c = i % u.D;
  let t = i / u.D / u.M % u.T;
  if (c >= 2u * u.pairs) { out[i] = x[i]; return; }
  let first = select(c < u.pairs, c % 2u == 0u, u.interleaved == 1u);
  let pair = select(c % u.pairs, c / 2u, u.interleaved == 1u);
  let distance = select(u.pairs, 1u, u.interleaved == 1u);
  let turn = cos_[t * u.pairs + pair];
  let cross = sin_[t * u.pairs + pair] * u.sign;
  if (first) { out[i] = x[i] * turn - x[i + distance] * cross; }
  else { out[i] = fma(x[i], turn, x[i - distance] * cross); }`;

/** Rotation of pairs of channels by a table of angles, as assembly/rotate.ts. */
export const rotatePairs: GpuKernel = ({ inputs: { x, cos, sin }, attrs, gpu }) => {
  const { pairs, layout, back } = attrs as { pairs: string; layout: string; back: boolean };
  const [, , second, D] = x!.shape as [number, number, number, number];
  const [T, half] = cos!.shape as [number, number];
  const out = gpu.output(x!.shape);
  const pass = perElement(
    {
      label: "rotatePairs",
      buffers: { x: "f32", cos_: "f32", sin_: "f32", out: "f32" },
      writes: ["out"],
      uniforms: {
        n: ["u32", util.sizeFromShape(x!.shape)],
        D: ["u32", D],
        T: ["u32", T],
        // Heads share an angle where they come after positions.
        M: ["u32", layout === "bthd" ? second : 1],
        pairs: ["u32", half],
        interleaved: ["u32", Number(pairs === "interleaved")],
        sign: ["f32", back ? -1 : 1],
      },
    },
    ROTATE,
  );
  gpu.run([pass], { x: x!, cos_: cos!, sin_: sin!, out });
  return out;
};
