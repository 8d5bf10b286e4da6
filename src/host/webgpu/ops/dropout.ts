/** Inverted dropout by position, the mask of every other backend: one thread for 32 elements, whose bits are a word. */
import { util } from "@tensorflow/tfjs-core";
import { words } from "../../../core/random.ts";
import { PHILOX } from "../../../kernels/webgpu/philox.ts";
import type { GpuKernel } from "../register.ts";
import { perElement } from "../shader.ts";

const BITS = 32;

const DROP = `
  var bits = 0u;
  for (var block = 0u; block < 8u; block++) {
    let numbers = philox(vec4u(8u * i + block, 0u, u.streamLow, u.streamHigh), vec2u(u.seedLow, u.seedHigh));
    for (var lane = 0u; lane < 4u; lane++) {
      let at = 32u * i + 4u * block + lane;
      if (at >= u.size) { break; }
      let stays = (numbers[lane] >> 8u) >= u.least;
      out[at] = select(0.0, x[at] * u.scale, stays);
      bits |= select(0u, 1u << (4u * block + lane), stays);
    }
  }
  kept[i] = bits;`;

/** What stays, and one bit an element, 1 for those that stay. */
export const dropout: GpuKernel = ({ inputs: { x }, attrs, gpu }) => {
  const { rate, seed, stream } = attrs as Record<"rate" | "seed" | "stream", number>;
  const size = util.sizeFromShape(x!.shape);
  const n = Math.ceil(size / BITS);
  const [out, kept] = [gpu.output(x!.shape), gpu.output([n], "int32")];
  const [seedLow, seedHigh] = words(seed);
  const [streamLow, streamHigh] = words(stream);
  const pass = perElement(
    {
      label: "dropout",
      buffers: { x: "f32", out: "f32", kept: "u32" },
      writes: ["out", "kept"],
      uniforms: {
        n: ["u32", n],
        size: ["u32", size],
        // k · 2⁻²⁴ ≥ rate for whole k is k ≥ ⌈rate · 2²⁴⌉.
        least: ["u32", Math.ceil(rate * 2 ** 24)],
        scale: ["f32", 1 / (1 - rate)],
        seedLow: ["u32", seedLow],
        seedHigh: ["u32", seedHigh],
        streamLow: ["u32", streamLow],
        streamHigh: ["u32", streamHigh],
      },
    },
    DROP,
    PHILOX,
  );
  gpu.run([pass], { x: x!, out, kept });
  return [out, kept];
};

/** Its gradient: the same elements of dy stay. */
export const dropoutGrad: GpuKernel = ({ inputs: { dy, kept }, attrs, gpu }) => {
  const dx = gpu.output(dy!.shape);
  const scale = 1 / (1 - (attrs.rate as number));
  const pass = perElement(
    {
      label: "dropout gradient",
      buffers: { dy: "f32", kept: "u32", dx: "f32" },
      writes: ["dx"],
      uniforms: { n: ["u32", util.sizeFromShape(dy!.shape)], scale: ["f32", scale] },
    },
    "  dx[i] = select(0.0, dy[i] * u.scale, ((kept[i / 32u] >> (i % 32u)) & 1u) == 1u);",
  );
  gpu.run([pass], { dy: dy!, kept: kept!, dx });
  return dx;
};
