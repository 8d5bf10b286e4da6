/** GELU and SiLU and their gradients, one thread an element: the formulas of assembly/gelu.ts and assembly/silu.ts. */
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Gpu } from "../gpu.ts";
import type { GpuKernel } from "../register.ts";
import { perElement } from "../shader.ts";

interface Elementwise {
  readonly label: string;
  readonly body: string;
  readonly before?: string;
}

/** Numbers of one shape from others of it; `outputs` names what `body` writes at `i`. */
function elementwise(
  gpu: Gpu,
  { label, body, before = "" }: Elementwise,
  inputs: Record<string, TensorInfo>,
  outputs: readonly string[],
): TensorInfo[] {
  const { shape } = Object.values(inputs)[0]!;
  const made = outputs.map(() => gpu.output(shape));
  const tensors = { ...inputs, ...Object.fromEntries(outputs.map((name, n) => [name, made[n]!])) };
  const pass = perElement(
    {
      label,
      buffers: Object.fromEntries(Object.keys(tensors).map((name) => [name, "f32"])),
      writes: outputs,
      uniforms: { n: ["u32", util.sizeFromShape(shape)] },
    },
    body,
    before,
  );
  gpu.run([pass], tensors);
  return made;
}

// 1 − Φ(|x|) = e^(−x²/2) · t · P(t) with t = 1 / (1 + 0.345·|x|), which keeps its digits in the negative tail.
const NORMAL = `
fn bell(x : f32) -> f32 { return exp(-0.5 * min(x * x, 400.0)); }

fn normal(x : f32, e : f32) -> f32 {
  let t = 1.0 / fma(0.345, abs(x), 1.0);
  var p = -0.02793351058;
  p = fma(p, t, 0.1432382639);
  p = fma(p, t, -0.2672359902);
  p = fma(p, t, 0.1830226501);
  p = fma(p, t, -0.03494711549);
  p = fma(p, t, 0.1107661558);
  p = fma(p, t, 0.117478009);
  p = fma(p, t, 0.1379906769);
  p = fma(p, t, 0.1376208706);
  let tail = p * t * e;
  return select(1.0 - tail, tail, x < 0.0);
}
`;

// ½·(1 + tanh y) = σ(2y) is 1/(1 + e) or, where x < 0, e/(1 + e), with e = exp(−2|y|): nothing cancels.
const TANH = `
fn squareOf(x : f32) -> f32 { return min(x * x, 1e4); }
fn decay(x : f32, square : f32) -> f32 {
  return exp(max(abs(x) * -1.5957691216 * fma(0.044715, square, 1.0), -100.0));
}
`;

const EXACT: Elementwise = {
  label: "gelu",
  before: NORMAL,
  body: "  out[i] = x[i] * normal(x[i], bell(x[i]));",
};
const APPROXIMATE: Elementwise = {
  label: "gelu by tanh",
  before: TANH,
  body: `
  let value = x[i];
  let e = decay(value, squareOf(value));
  out[i] = value * select(1.0, e, value < 0.0) / (1.0 + e);`,
};

/** GELU, exact or by tanh. */
export const gelu: GpuKernel = ({ inputs: { x }, attrs, gpu }) =>
  elementwise(gpu, attrs.approximate ? APPROXIMATE : EXACT, { x: x! }, ["out"])[0]!;

const EXACT_GRAD: Elementwise = {
  label: "gelu gradient",
  before: NORMAL,
  body: `
  let value = x[i];
  let e = bell(value);
  dx[i] = dy[i] * fma(value, e * 0.3989422804, normal(value, e));`,
};
const APPROXIMATE_GRAD: Elementwise = {
  label: "gelu by tanh, gradient",
  before: TANH,
  body: `
  let value = x[i];
  let square = squareOf(value);
  let e = decay(value, square);
  let far = 1.0 / (1.0 + e);
  let near = e * far;
  let slope = fma(0.21406850, square, 1.5957691216);
  dx[i] = dy[i] * fma(value * near * far, slope, select(far, near, value < 0.0));`,
};

/** Its gradient. */
export const geluGrad: GpuKernel = ({ inputs: { x, dy }, attrs, gpu }) =>
  elementwise(gpu, attrs.approximate ? APPROXIMATE_GRAD : EXACT_GRAD, { x: x!, dy: dy! }, ["dx"])[0]!;

const SIGMOID = `
fn sigmoid(x : f32) -> f32 {
  let e = exp(-min(abs(x), 88.0));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}
`;

/** x·σ(x). */
export const silu: GpuKernel = ({ inputs: { x }, gpu }) => {
  const shader = { label: "silu", before: SIGMOID, body: "  out[i] = x[i] * sigmoid(x[i]);" };
  return elementwise(gpu, shader, { x: x! }, ["out"])[0]!;
};

/** Its gradient: dy·σ(x)·(1 + x·σ(−x)). */
export const siluGrad: GpuKernel = ({ inputs: { x, dy }, gpu }) => {
  const body = "  dx[i] = dy[i] * sigmoid(x[i]) * fma(x[i], sigmoid(-x[i]), 1.0);";
  return elementwise(gpu, { label: "silu gradient", before: SIGMOID, body }, { x: x!, dy: dy! }, ["dx"])[0]!;
};

/** gate·σ(gate)·x. */
export const gatedSilu: GpuKernel = ({ inputs: { gate, x }, gpu }) => {
  const body = "  out[i] = gate[i] * sigmoid(gate[i]) * x[i];";
  const shader = { label: "gatedSilu", before: SIGMOID, body };
  return elementwise(gpu, shader, { gate: gate!, x: x! }, ["out"])[0]!;
};

/** Its gradients: dgate, dx. */
export const gatedSiluGrad: GpuKernel = ({ inputs: { gate, x, dy }, gpu }) => {
  const body = `
  let s = sigmoid(gate[i]);
  dgate[i] = dy[i] * x[i] * s * fma(gate[i], sigmoid(-gate[i]), 1.0);
  dx[i] = dy[i] * gate[i] * s;`;
  const shader = { label: "gatedSilu gradient", before: SIGMOID, body };
  return elementwise(gpu, shader, { gate: gate!, x: x!, dy: dy! }, ["dgate", "dx"]);
};
