import {
  add,
  concat,
  customGrad,
  type GradConfig,
  type GradSaveFunc,
  mul,
  neg,
  reshape,
  slice,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tidy,
} from "@tensorflow/tfjs-core";
import { ensureGradient, isFused, runKernel } from "./registry.ts";

const KERNEL = "HeedRotatePairs";

export interface RotatePairsOptions {
  /** Which channels turn together: c and c + R/2, or 2c and 2c + 1. */
  pairs: "half" | "interleaved";
  /** Order of x's axes. */
  layout: "bhtd" | "bthd";
}

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["cos", "sin"],
  gradFunc: (dy, [cos, sin], attrs) => ({
    x: () =>
      runKernel(KERNEL, { x: dy as Tensor, cos: cos!, sin: sin! }, { ...attrs, back: attrs.back !== true }),
  }),
};

/**
 * Turns the first R channels of x, pair by pair, by the angles of positions; the others stay as they are:
 *
 *     (x_a, x_b) → (x_a · cos − x_b · sin,  x_b · cos + x_a · sin)
 *
 * One pass where the backend has the kernel, forward and backward: the gradient is the rotation back. The table itself
 * has none.
 *
 * Shapes: x [B, H, T, D] or [B, T, H, D], cos and sin [T, R/2] → as x. The caller checks them.
 */
export function rotatePairs(
  x: Tensor4D,
  { cos, sin }: { cos: Tensor2D; sin: Tensor2D },
  { pairs, layout }: RotatePairsOptions,
): Tensor4D {
  if (isFused(KERNEL)) {
    ensureGradient(gradient);
    return runKernel(KERNEL, { x, cos, sin }, { pairs, layout, back: false }) as Tensor4D;
  }
  const turn = customGrad((input, save) => {
    (save as GradSaveFunc)([cos, sin]);
    return {
      value: composed(input as Tensor4D, cos, sin, { pairs, layout }),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [c, s] = saved as [Tensor2D, Tensor2D];
        return tidy(() => composed(dy as Tensor4D, c, neg(s), { pairs, layout }));
      },
    };
  });
  return turn(x) as Tensor4D;
}

function composed(x: Tensor4D, cos: Tensor2D, sin: Tensor2D, options: RotatePairsOptions): Tensor4D {
  const { pairs, layout } = options;
  return tidy(() => {
    const [N, M, P, D] = x.shape;
    const [T, half] = cos.shape;
    const R = 2 * half;
    const own = R === D ? x : slice(x, [0, 0, 0, 0], [N, M, P, R]);
    // One member of each pair of channels, for every vector.
    const axis = pairs === "half" ? 3 : 4;
    const paired = reshape(own, pairs === "half" ? [N, M, P, 2, half] : [N, M, P, half, 2]);
    const size = pairs === "half" ? [N, M, P, 1, half] : [N, M, P, half, 1];
    const member = (n: number) => slice(paired, axis === 3 ? [0, 0, 0, n, 0] : [0, 0, 0, 0, n], size);
    const [a, b] = [member(0), member(1)];
    const rows = layout === "bthd" ? [T, 1] : [T];
    const factors = (table: Tensor) => reshape(table, [...rows, ...size.slice(3)]);
    const [c, s] = [factors(cos), factors(sin)];
    const out = concat([sub(mul(a, c), mul(b, s)), add(mul(b, c), mul(a, s))], axis);
    const rotated = reshape(out, [N, M, P, R]);
    if (R === D) return rotated as Tensor4D;
    return concat([rotated, slice(x, [0, 0, 0, R], [N, M, P, D - R])], 3) as Tensor4D;
  });
}
