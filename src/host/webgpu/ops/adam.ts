import { util } from "@tensorflow/tfjs-core";
import type { GpuKernel } from "../register.ts";
import { perElement, perRow, THREADS } from "../shader.ts";

const STEP = `
  let g_i = fma(u.decay, p[i], g[i] * u.scale);
  let m_i = fma(u.rest1, g_i, m[i] * u.beta1);
  let v_i = fma(u.rest2 * g_i, g_i, v[i] * u.beta2);
  mNext[i] = m_i;
  vNext[i] = v_i;
  pNext[i] = p[i] - u.step * m_i / fma(sqrt(v_i), u.root, u.epsilon);`;

/** One step of Adam on one variable: its new value and moments, as assembly/adam.ts. */
export const adam: GpuKernel = ({ inputs: { p, g, m, v }, attrs, gpu }) => {
  const { scale, decay, beta1, beta2, step, root, epsilon } = attrs as Record<string, number>;
  const [pNext, mNext, vNext] = [p, m, v].map((tensor) => gpu.output(tensor!.shape)) as [
    ReturnType<typeof gpu.output>,
    ReturnType<typeof gpu.output>,
    ReturnType<typeof gpu.output>,
  ];
  const tensors = { p: p!, g: g!, m: m!, v: v!, pNext, mNext, vNext };
  const numbers = { scale, decay, beta1, rest1: 1 - beta1!, beta2, rest2: 1 - beta2!, step, root, epsilon };
  const pass = perElement(
    {
      label: "adam",
      buffers: Object.fromEntries(Object.keys(tensors).map((name) => [name, "f32"])),
      writes: ["pNext", "mNext", "vNext"],
      uniforms: {
        n: ["u32", util.sizeFromShape(p!.shape)],
        ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, ["f32", value!]])),
      },
    },
    STEP,
  );
  gpu.run([pass], tensors);
  return [pNext, mNext, vNext];
};

/** Numbers that a workgroup adds up. */
const PART = 16 * THREADS;

/** Σ x² as a scalar: of parts of 2,048 numbers, then of the parts, both in the same order each time. */
export const sumOfSquares: GpuKernel = ({ inputs: { x }, gpu }) => {
  const size = util.sizeFromShape(x!.shape);
  const parts = Math.ceil(size / PART);
  const [held, out] = [gpu.output([parts]), gpu.output([])];
  const squares = perRow(
    {
      label: "sumOfSquares",
      buffers: { x: "f32", held: "f32" },
      writes: ["held"],
      uniforms: { N: ["u32", parts], size: ["u32", size] },
    },
    `
  var part = 0.0;
  for (var at = i * ${PART}u + thread; at < min((i + 1u) * ${PART}u, u.size); at += ${THREADS}u) {
    part = fma(x[at], x[at], part);
  }
  let all = sum(part);
  if (thread == 0u) { held[i] = all; }`,
  );
  const total = perRow(
    {
      label: "sumOfSquares, all parts",
      buffers: { held: "f32", out: "f32" },
      writes: ["out"],
      uniforms: { N: ["u32", 1], parts: ["u32", parts] },
    },
    `
  var part = 0.0;
  for (var at = thread; at < u.parts; at += ${THREADS}u) { part += held[at]; }
  let all = sum(part);
  if (thread == 0u) { out[0] = all; }`,
  );
  gpu.run([squares, total], { x: x!, held, out });
  gpu.dispose(held);
  return out;
};
