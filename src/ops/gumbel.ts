import { add, type GradConfig, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { RandomStream } from "../core/random.ts";
import { ensureGradient, float, isFused, runKernel } from "./registry.ts";

const KERNEL = "HeedGumbel";

const gradient: GradConfig = {
  kernelName: KERNEL,
  gradFunc: (dy) => ({ x: () => dy as Tensor }),
};

/**
 * x + g, g_n = −ln(−ln u_n) for number n of the stream; u in the middle of its 2⁻²⁴, so that both logarithms are finite.
 * Checked by the caller. The gradient is that of x. One kernel on `heed`.
 */
export function addGumbel(x: Tensor, seed: number, stream: number): Tensor {
  return tidy(() => {
    if (isFused(KERNEL)) {
      ensureGradient(gradient);
      return runKernel(KERNEL, { x: float(x) }, { seed, stream });
    }
    const noise = new RandomStream(seed, stream).fillUniform(new Float32Array(x.size));
    for (let n = 0; n < noise.length; n++) noise[n] = -Math.log(-Math.log(noise[n]! + 2 ** -25));
    return add(x, tensor(noise, x.shape));
  });
}
