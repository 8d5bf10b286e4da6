import {
  add,
  backend_util,
  cumprod,
  cumsum,
  type GradConfig,
  mul,
  reshape,
  reverse,
  stack,
  type Tensor,
  transpose,
  unstack,
  util,
  zerosLike,
} from "@tensorflow/tfjs-core";

interface ScanAttrs {
  axis: number;
  exclusive: boolean;
  reverse: boolean;
}

/** A sum over what comes before becomes one over what comes after. */
const cumsumGradient: GradConfig = {
  kernelName: "Cumsum",
  inputsToSave: ["x"],
  gradFunc: (dy, [x], attrs) => {
    const { axis, exclusive, reverse: isReverse } = attrs as unknown as ScanAttrs;
    const [at] = util.parseAxisParam(axis, x!.shape) as [number];
    return { x: () => cumsum(dy as Tensor, at, exclusive, !isReverse) };
  },
};

/**
 * With y_i = Π_{j ≤ i} x_j: dx_k = Π_{j < k} x_j · s_k, s_k = dy_k + x_{k+1} s_{k+1}, from the end. Nothing is divided
 * by, so that zeros among the factors are fine. Exclusive products have dy_{k+1} in place of dy_k.
 */
const cumprodGradient: GradConfig = {
  kernelName: "Cumprod",
  inputsToSave: ["x"],
  gradFunc: (dy, [x], attrs) => {
    const { axis, exclusive, reverse: isReverse } = attrs as unknown as ScanAttrs;
    const [at] = util.parseAxisParam(axis, x!.shape) as [number];
    return {
      x: () => {
        if (x!.size === 0) return zerosLike(x!);
        const turned = (t: Tensor) => (isReverse ? reverse(t, at) : t);
        const [factors, d] = [unstack(turned(x!), at), unstack(turned(dy as Tensor), at)];
        let s = zerosLike(d[0]!);
        const sums: Tensor[] = [];
        for (let k = factors.length - 1; k >= 0; k--) {
          const later = k + 1 < factors.length ? mul(factors[k + 1]!, s) : s;
          const own = exclusive ? d[k + 1] : d[k];
          s = own ? add(own, later) : later;
          sums.unshift(s);
        }
        const before = cumprod(turned(x!), at, true, false);
        return turned(mul(before, stack(sums, at)));
      },
    };
  },
};

/** dx_k = dy · Π_{j ≠ k} x_j, the product of those before and those after. */
const prodGradient: GradConfig = {
  kernelName: "Prod",
  inputsToSave: ["x"],
  gradFunc: (dy, [x], attrs) => {
    const { shape, rank, size } = x!;
    const axes = util.parseAxisParam(attrs.axis as number[], shape);
    return {
      x: () => {
        if (size === 0 || axes.length === 0) return size === 0 ? zerosLike(x!) : reshape(dy as Tensor, shape);
        const perm = backend_util.getAxesPermutation(axes, rank);
        const last = perm ? transpose(x!, perm) : x!;
        const K = axes.reduce((product, axis) => product * shape[axis]!, 1);
        const rows = reshape(last, [size / K, K]);
        const others = mul(cumprod(rows, 1, true, false), cumprod(rows, 1, true, true));
        const dx = reshape(mul(reshape(dy as Tensor, [size / K, 1]), others), last.shape);
        return perm ? transpose(dx, backend_util.getUndoAxesPermutation(perm)) : dx;
      },
    };
  },
};

/** Gradients of sums and products along an axis. */
export const scanGradients: readonly GradConfig[] = [cumsumGradient, cumprodGradient, prodGradient];
