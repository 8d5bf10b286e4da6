import {
  backend_util,
  engine,
  type GradConfig,
  matMul,
  mul,
  type NamedAttrMap,
  reshape,
  type Tensor,
  type Tensor2D,
  tensor,
  tensor2d,
  transpose,
} from "@tensorflow/tfjs-core";

interface ResizeAttrs {
  alignCorners: boolean;
  halfPixelCenters: boolean;
}

/** The shares [to, from] that the pixels of a resized row or column have of those it is made of. */
type Shares = (from: number, to: number, attrs: ResizeAttrs) => Tensor2D;

function ratio(from: number, to: number, { alignCorners }: ResizeAttrs): number {
  const aligned = alignCorners && to > 1;
  return aligned ? (from - 1) / (to - 1) : from / to;
}

const bilinear: Shares = (from, to, attrs) => {
  const scale = ratio(from, to, attrs);
  const shares = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = attrs.halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i;
    const low = Math.max(0, Math.floor(at));
    const high = Math.max(0, Math.min(from - 1, Math.ceil(at)));
    shares[i * from + low]! += 1 - (at - low);
    shares[i * from + high]! += at - low;
  }
  return tensor2d(shares, [to, from]);
};

const nearest: Shares = (from, to, attrs) => {
  const scale = ratio(from, to, attrs);
  const shares = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = attrs.halfPixelCenters ? scale * (i + 0.5) : scale * i;
    const pixel = attrs.alignCorners ? Math.round(at) : Math.floor(at);
    shares[i * from + Math.max(0, Math.min(from - 1, pixel))] = 1;
  }
  return tensor2d(shares, [to, from]);
};

/** The last axis as matrix columns, multiplied. */
function along(x: Tensor, shares: Tensor2D): Tensor {
  const [to, from] = shares.shape;
  const rows = matMul(reshape(x, [x.size / to, to]), shares);
  return reshape(rows, x.shape.with(-1, from));
}

/**
 * Resizing is a matrix for the rows and one for the columns, its gradient their transposes. (TensorFlow.js' own leaves
 * out half-pixel centres, and gives the gradient of an image with its width and height exchanged on `cpu`.)
 */
function resize(kernelName: string, shares: Shares): GradConfig {
  return {
    kernelName,
    inputsToSave: ["images"],
    gradFunc: (dy, [images], attrs) => ({
      images: () => {
        const [, H, W] = images!.shape as [number, number, number, number];
        const [, h, w] = (dy as Tensor).shape as [number, number, number, number];
        const given = attrs as unknown as ResizeAttrs;
        const rows = along(transpose(dy as Tensor, [0, 2, 3, 1]), shares(H, h, given));
        const both = along(transpose(rows, [0, 2, 3, 1]), shares(W, w, given));
        return transpose(both, [0, 2, 3, 1]);
      },
    }),
  };
}

/** How many pixels of an axis each window holds. */
function counts(from: number, to: number, filter: number, stride: number, before: number): number[] {
  return Array.from({ length: to }, (_, i) => {
    const first = i * stride - before;
    return Math.max(0, Math.min(first + filter, from) - Math.max(first, 0));
  });
}

interface PoolAttrs {
  filterSize: number;
  strides: number;
  pad: "same";
  dimRoundingMode?: "floor";
}

function countsOf(x: Tensor, attrs: PoolAttrs): { axes: number[][]; size: number } {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  if (x.rank === 5) {
    const shape = x.shape as [number, number, number, number, number];
    const c = backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    const { front, top, left } = c.padInfo;
    const axes = [
      counts(c.inDepth, c.outDepth, c.filterDepth, c.strideDepth, front),
      counts(c.inHeight, c.outHeight, c.filterHeight, c.strideHeight, top),
      counts(c.inWidth, c.outWidth, c.filterWidth, c.strideWidth, left),
    ];
    return { axes, size: c.filterDepth * c.filterHeight * c.filterWidth };
  }
  const shape = x.shape as [number, number, number, number];
  const c = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const { top, left } = c.padInfo;
  const axes = [
    counts(c.inHeight, c.outHeight, c.filterHeight, c.strideHeight, top),
    counts(c.inWidth, c.outWidth, c.filterWidth, c.strideWidth, left),
  ];
  return { axes, size: c.filterHeight * c.filterWidth };
}

/**
 * A mean is over the pixels that its window holds, without the padding; the kernels divide each gradient by the whole
 * window, so it is multiplied before by window / pixels.
 */
function averagePool(kernelName: string): GradConfig {
  return {
    kernelName,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({
      x: () => {
        const { axes, size } = countsOf(x!, attrs as unknown as PoolAttrs);
        let scale: number[] = [size];
        for (const axis of axes) scale = scale.flatMap((s) => axis.map((n) => (n > 0 ? s / n : 0)));
        const factors = tensor(scale, [1, ...axes.map(({ length }) => length), 1], "float32");
        const whole = scale.every((s) => s === 1) ? (dy as Tensor) : mul(dy as Tensor, factors);
        return engine().runKernel(
          `${kernelName}Grad`,
          { dy: whole, input: x! },
          attrs as NamedAttrMap,
        ) as Tensor;
      },
    }),
  };
}

/** Gradients of operations over images. */
export const imageGradients: readonly GradConfig[] = [
  resize("ResizeBilinear", bilinear),
  resize("ResizeNearestNeighbor", nearest),
  averagePool("AvgPool"),
  averagePool("AvgPool3D"),
];
