/**
 * Layer and root mean square normalisation of rows, and their gradients: a workgroup a row. The statistics of a row are
 * those of assembly/layer-norm.ts and assembly/rms-norm.ts: (shift, rest, 1/σ, unit) and (1/rms, unit). A row whose sum
 * or squares float32 cannot hold is measured in units of 2⁸⁰.
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { rowsOf } from "../../ops/layer-norm.ts";
import type { Gpu } from "../gpu.ts";
import type { GpuKernel } from "../register.ts";
import { perElement, perRow, type ShaderParts, THREADS } from "../shader.ts";

/** Shaders may take for granted that there is no NaN: only the bits tell. */
const IS_FINITE = `
fn isFinite(x : f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
`;
const UNIT = "8.271806125530277e-25";

/** `for` each column `j` that this thread takes of row `i`, the first of which is number `at` of an array of rows. */
const eachColumn = (body: string) =>
  `  for (var j = thread; j < u.C; j += ${THREADS}u) { let at = i * u.C + j; ${body} }`;

const LAYER_NORM = `
  var part = 0.0;
${eachColumn("part += x[at];")}
  let portion = 1.0 / f32(u.C);
  var shift = sum(part) * portion;
  var s = 0.0;
  var q = 0.0;
${eachColumn("let d = x[at] - shift; s += d; q = fma(d, d, q);")}
  s = sum(s);
  q = sum(q);
  var rest = s * portion;
  var scale = 1.0 / sqrt(max(q * portion - rest * rest, 0.0) + u.epsilon);
  var unit = 1.0;
  if (!isFinite(s) || !isFinite(q)) {
    // From the first element on: in rows of equal elements every difference is 0.
    unit = ${UNIT};
    shift = x[i * u.C] * unit;
    var differences = 0.0;
${eachColumn("differences += fma(x[at], unit, -shift);")}
    rest = sum(differences) * portion;
    var squares = 0.0;
${eachColumn("let d = fma(x[at], unit, -shift) - rest; squares = fma(d, d, squares);")}
    let variance = sum(squares) * portion;
    // At most 2¹²⁷: the 0 of equal elements stays 0.
    scale = min(inverseSqrt(max(variance, 1e-38)), 1.7014118e38);
  }
  if (thread == 0u) {
    stats[4u * i] = shift;
    stats[4u * i + 1u] = rest;
    stats[4u * i + 2u] = scale;
    stats[4u * i + 3u] = unit;
  }
${eachColumn("out[at] = fma((x[at] * unit - shift - rest) * scale, gamma[j], beta[j]);")}`;

/** Normalised rows, and the statistics [N, 4] that the gradient needs. */
export const layerNorm: GpuKernel = ({ inputs: { x, gamma, beta }, attrs, gpu }) => {
  const [N, C] = rowsOf(x!.shape);
  const [out, stats] = [gpu.output(x!.shape), gpu.output([N, 4])];
  const pass = perRow(
    {
      label: "layerNorm",
      buffers: { x: "f32", gamma: "f32", beta: "f32", out: "f32", stats: "f32" },
      writes: ["out", "stats"],
      uniforms: { N: ["u32", N], C: ["u32", C], epsilon: ["f32", attrs.epsilon as number] },
    },
    LAYER_NORM,
    IS_FINITE,
  );
  gpu.run([pass], { x: x!, gamma: gamma!, beta: beta!, out, stats });
  return [out, stats];
};

const X_HAT_LAYER = `
fn hat(row : u32, at : u32) -> f32 {
  let s = 4u * row;
  return (x[at] * stats[s + 3u] - stats[s] - stats[s + 1u]) * stats[s + 2u];
}
fn scaleOf(row : u32) -> f32 { return stats[4u * row + 2u]; }
fn unitOf(row : u32) -> f32 { return stats[4u * row + 3u]; }
`;

const X_HAT_RMS = `
fn hat(row : u32, at : u32) -> f32 { return x[at] * stats[2u * row + 1u] * stats[2u * row]; }
fn scaleOf(row : u32) -> f32 { return stats[2u * row]; }
fn unitOf(row : u32) -> f32 { return stats[2u * row + 1u]; }
`;

/** dx = (g − mean(g) − x̂·mean(g·x̂))·scale, with g = dy·γ; without the first mean where nothing was subtracted. */
const inputGradient = (isCentred: boolean) => `
  let portion = 1.0 / f32(u.C);
  var s = 0.0;
  var p = 0.0;
${eachColumn("let g = dy[at] * gamma[j]; s += g; p = fma(g, hat(i, at), p);")}
  let mean = ${isCentred ? "sum(s) * portion" : "0.0"};
  let slope = sum(p) * portion;
  let scale = scaleOf(i);
  let unit = unitOf(i);
${eachColumn("dx[at] = (dy[at] * gamma[j] - mean - hat(i, at) * slope) * scale * unit;")}`;

/** Rows that a thread adds up before the sums of such blocks are added. */
const BLOCK_ROWS = 64;

interface ColumnSums {
  readonly label: string;
  readonly buffers: ShaderParts["buffers"];
  /** Functions that `term` calls. */
  readonly before: string;
  /** The number that row `row` has in column `j`, which is number `at` of an array of rows. */
  readonly term: string;
}

/** Σ over rows of a term, by column [C]: blocks of rows first, then the blocks, both in their order. */
function columnSums(
  gpu: Gpu,
  { label, buffers, before, term }: ColumnSums,
  tensors: Record<string, TensorInfo>,
  [N, C]: readonly [number, number],
): TensorInfo {
  const blocks = Math.max(1, Math.ceil(N / BLOCK_ROWS));
  const [parts, out] = [gpu.output([blocks, C]), gpu.output([C])];
  const uniforms = { n: ["u32", blocks * C], N: ["u32", N], C: ["u32", C] } as const;
  const byBlock = perElement(
    { label, buffers: { ...buffers, parts: "f32" }, writes: ["parts"], uniforms },
    `
  let j = i % u.C;
  let first = i / u.C * ${BLOCK_ROWS}u;
  var total = 0.0;
  for (var row = first; row < min(first + ${BLOCK_ROWS}u, u.N); row++) { let at = row * u.C + j; total += ${term}; }
  parts[i] = total;`,
    before,
  );
  const all = perElement(
    {
      label: `${label}, all blocks`,
      buffers: { parts: "f32", out: "f32" },
      writes: ["out"],
      uniforms: { n: ["u32", C], blocks: ["u32", blocks] },
    },
    `
  var total = 0.0;
  for (var block = 0u; block < u.blocks; block++) { total += parts[block * u.n + i]; }
  out[i] = total;`,
  );
  gpu.run([byBlock, all], { ...tensors, parts, out });
  gpu.dispose(parts);
  return out;
}

/** The gradient of the rows, and those of the scale and, where there is one, of the offset. */
function gradients(
  { inputs: { x, gamma, stats, dy }, gpu }: Parameters<GpuKernel>[0],
  label: string,
  hat: string,
  isCentred: boolean,
): TensorInfo[] {
  const sizes = rowsOf(x!.shape);
  const [N, C] = sizes;
  const dx = gpu.output(x!.shape);
  const pass = perRow(
    {
      label,
      buffers: { x: "f32", gamma: "f32", stats: "f32", dy: "f32", dx: "f32" },
      writes: ["dx"],
      uniforms: { N: ["u32", N], C: ["u32", C] },
    },
    inputGradient(isCentred),
    hat,
  );
  gpu.run([pass], { x: x!, gamma: gamma!, stats: stats!, dy: dy!, dx });
  const dgamma = columnSums(
    gpu,
    {
      label: `${label}, scale`,
      buffers: { x: "f32", stats: "f32", dy: "f32" },
      before: hat,
      term: "dy[at] * hat(row, at)",
    },
    { x: x!, stats: stats!, dy: dy! },
    sizes,
  );
  if (!isCentred) return [dx, dgamma];
  const offset = { label: `${label}, offset`, buffers: { dy: "f32" }, before: "", term: "dy[at]" } as const;
  return [dx, dgamma, columnSums(gpu, offset, { dy: dy! }, sizes)];
}

/** Its gradients: dx, dgamma, dbeta. */
export const layerNormGrad: GpuKernel = (call) => gradients(call, "layerNorm gradient", X_HAT_LAYER, true);

const RMS_NORM = `
  var squares = 0.0;
${eachColumn("squares = fma(x[at], x[at], squares);")}
  let q = sum(squares);
  var scale = 1.0 / sqrt(q / f32(u.C) + u.epsilon);
  var unit = 1.0;
  if (!isFinite(q)) {
    unit = ${UNIT};
    var small = 0.0;
${eachColumn("let value = x[at] * unit; small = fma(value, value, small);")}
    scale = 1.0 / sqrt(sum(small) / f32(u.C));
  }
  if (thread == 0u) {
    stats[2u * i] = scale;
    stats[2u * i + 1u] = unit;
  }
${eachColumn("out[at] = x[at] * unit * scale * gamma[j];")}`;

/** Normalised rows, and the statistics [N, 2] that the gradient needs. */
export const rmsNorm: GpuKernel = ({ inputs: { x, gamma }, attrs, gpu }) => {
  const [N, C] = rowsOf(x!.shape);
  const [out, stats] = [gpu.output(x!.shape), gpu.output([N, 2])];
  const pass = perRow(
    {
      label: "rmsNorm",
      buffers: { x: "f32", gamma: "f32", out: "f32", stats: "f32" },
      writes: ["out", "stats"],
      uniforms: { N: ["u32", N], C: ["u32", C], epsilon: ["f32", attrs.epsilon as number] },
    },
    RMS_NORM,
    IS_FINITE,
  );
  gpu.run([pass], { x: x!, gamma: gamma!, out, stats });
  return [out, stats];
};

/** Its gradients: dx, dgamma. */
export const rmsNormGrad: GpuKernel = (call) => gradients(call, "rmsNorm gradient", X_HAT_RMS, false);
