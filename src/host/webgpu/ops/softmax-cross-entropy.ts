/** Softmax cross-entropy of rows and its gradient: a workgroup a row, as assembly/loss.ts. */
import type { GpuKernel } from "../register.ts";
import { perRow, type ShaderParts, THREADS } from "../shader.ts";

const eachColumn = (body: string) =>
  `  for (var j = thread; j < u.V; j += ${THREADS}u) { let at = i * u.V + j; ${body} }`;

const FORWARD = `
  let label = labels[i];
  if (label < 0) {
    if (thread == 0u) { losses[i] = 0.0; norms[2u * i] = 0.0; norms[2u * i + 1u] = 0.0; }
    return;
  }
  var greatest = -3.4028234e38;
${eachColumn("greatest = max(greatest, x[at]);")}
  let m = most(greatest);
  var exponentials = 0.0;
  var differences = 0.0;
${eachColumn("exponentials += exp(x[at] - m); differences += x[at] - m;")}
  let log_ = log(sum(exponentials));
  let all = sum(differences);
  if (thread != 0u) { return; }
  var loss = log_;
  // A label that is no column has no probability.
  if (u32(label) >= u.V) { loss = bitcast<f32>(u.notANumber); }
  else { loss -= (1.0 - u.smoothing) * (x[i * u.V + u32(label)] - m); }
  if (u.smoothing > 0.0) { loss -= u.smoothing / f32(u.V) * all; }
  losses[i] = loss;
  norms[2u * i] = m;
  norms[2u * i + 1u] = log_;`;

function uniforms(
  N: number,
  V: number,
  smoothing: unknown,
): ShaderParts["uniforms"] & { N: ["u32", number] } {
  return {
    N: ["u32", N],
    V: ["u32", V],
    smoothing: ["f32", smoothing as number],
    notANumber: ["u32", 0x7fc00000],
  };
}

/** Losses [N], and the norms [N, 2] that the gradient needs. A label of V or more gives NaN. */
export const softmaxCrossEntropy: GpuKernel = ({ inputs: { logits, labels }, attrs, gpu }) => {
  const [N, V] = logits!.shape as [number, number];
  const [losses, norms] = [gpu.output([N]), gpu.output([N, 2])];
  const pass = perRow(
    {
      label: "softmaxCrossEntropy",
      buffers: { x: "f32", labels: "i32", losses: "f32", norms: "f32" },
      writes: ["losses", "norms"],
      uniforms: uniforms(N, V, attrs.smoothing),
    },
    FORWARD,
  );
  gpu.run([pass], { x: logits!, labels: labels!, losses, norms });
  return [losses, norms];
};

const BACKWARD = `
  let label = labels[i];
  if (label < 0) {
${eachColumn("dx[at] = 0.0;")}
    return;
  }
  let m = norms[2u * i];
  let log_ = norms[2u * i + 1u];
  let rest = u.smoothing / f32(u.V);
${eachColumn(`
    let target_ = rest + select(0.0, 1.0 - u.smoothing, j == u32(label));
    dx[at] = (exp(x[at] - m - log_) - target_) * dloss[i];`)}`;

/** Its gradient with respect to the logits. */
export const softmaxCrossEntropyGrad: GpuKernel = ({ inputs, attrs, gpu }) => {
  const { logits, labels, norms, dloss } = inputs;
  const [N, V] = logits!.shape as [number, number];
  const dx = gpu.output([N, V]);
  const pass = perRow(
    {
      label: "softmaxCrossEntropy gradient",
      buffers: { x: "f32", labels: "i32", norms: "f32", dloss: "f32", dx: "f32" },
      writes: ["dx"],
      uniforms: uniforms(N, V, attrs.smoothing),
    },
    BACKWARD,
  );
  gpu.run([pass], { x: logits!, labels: labels!, norms: norms!, dloss: dloss!, dx });
  return dx;
};
