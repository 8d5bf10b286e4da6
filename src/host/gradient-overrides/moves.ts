import {
  add,
  expandDims,
  type GradConfig,
  matMul,
  oneHot,
  pad,
  reshape,
  reverse,
  scatterND,
  slice,
  slice_util,
  stack,
  type Tensor,
  zeros,
} from "@tensorflow/tfjs-core";

/** Pads one axis with zeros. */
function padAxis(x: Tensor, axis: number, before: number, after: number): Tensor {
  return pad(
    x,
    x.shape.map((_, i): [number, number] => (i === axis ? [before, after] : [0, 0])),
  );
}

function sliceAxis(x: Tensor, axis: number, begin: number, size: number): Tensor {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? begin : 0)),
    x.shape.with(axis, size),
  );
}

/** Puts what was every `stride`-th element of an axis of `size` elements, from `begin`, back there; zeros elsewhere. */
function spread(dy: Tensor, axis: number, begin: number, stride: number, size: number): Tensor {
  const count = dy.shape[axis]!;
  const step = Math.abs(stride);
  const inOrder = stride < 0 ? reverse(dy, axis) : dy;
  const first = stride < 0 ? begin + (count - 1) * stride : begin;
  let wide = inOrder;
  if (step > 1) {
    const gaps = padAxis(expandDims(inOrder, axis + 1), axis + 1, 0, step - 1);
    wide = reshape(gaps, dy.shape.with(axis, count * step));
  }
  const length = Math.min(count * step, size - first);
  return padAxis(sliceAxis(wide, axis, 0, length), axis, first, size - first - length);
}

const stridedSliceGradient: GradConfig = {
  kernelName: "StridedSlice",
  inputsToSave: ["x"],
  gradFunc: (dy, [x], attrs) => ({
    x: () => {
      if ((dy as Tensor).size === 0) return zeros(x!.shape);
      const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } =
        attrs as unknown as Record<"begin" | "end" | "strides", number[]> & Record<string, number>;
      const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const;
      const info = slice_util.sliceInfo(
        x!.shape,
        begin,
        end,
        strides,
        ...(masks as [number, number, number, number, number]),
      );
      let out = reshape(dy as Tensor, slice_util.computeOutShape(info.begin, info.end, info.strides));
      x!.shape.forEach((size, axis) => {
        out = spread(out, axis, info.begin[axis]!, info.strides[axis]!, size);
      });
      return out;
    },
  }),
};

/** Each value's gradient goes to the place that it came from. */
const topKGradient: GradConfig = {
  kernelName: "TopK",
  inputsToSave: ["x"],
  outputsToSave: [false, true],
  gradFunc: (dys, [x, indices]) => ({
    x: () => {
      const dy = (dys as Tensor[])[0]!;
      if (dy.size === 0) return zeros(x!.shape);
      // One of one; oneHot takes no fewer than two.
      if (x!.shape.at(-1) === 1) return reshape(dy, x!.shape);
      const [n, k] = [x!.shape.at(-1)!, dy.shape.at(-1)!];
      const places = oneHot(reshape(indices!, [dy.size / k, k]), n);
      return reshape(
        matMul(reshape(dy, [dy.size / k, 1, k]), reshape(places, [dy.size / k, k, n])),
        x!.shape,
      );
    },
  }),
};

/** What was read more than once adds up. */
const gatherNdGradient: GradConfig = {
  kernelName: "GatherNd",
  inputsToSave: ["params", "indices"],
  gradFunc: (dy, [params, indices]) => ({
    params: () =>
      (dy as Tensor).size === 0 ? zeros(params!.shape) : scatterND(indices!, dy as Tensor, params!.shape),
  }),
};

/** TensorFlow.js hands over one gradient alone, not in a list, where one tensor was made. */
const unpackGradient: GradConfig = {
  kernelName: "Unpack",
  gradFunc: (dys, _, attrs) => ({ value: () => stack([dys].flat() as Tensor[], attrs.axis as number) }),
};

/** The mirrored parts go back to what they mirror. (TensorFlow.js' own drops them.) */
const mirrorPadGradient: GradConfig = {
  kernelName: "MirrorPad",
  inputsToSave: ["x"],
  gradFunc: (dy, [x], attrs) => ({
    x: () => {
      const { paddings, mode } = attrs as unknown as { paddings: [number, number][]; mode: string };
      const edge = mode === "reflect" ? 1 : 0;
      let out = dy as Tensor;
      x!.shape.forEach((size, axis) => {
        const [before, after] = paddings[axis]!;
        const [whole, own] = [out, sliceAxis(out, axis, before, size)];
        out = own;
        if (before > 0) {
          const mirrored = reverse(sliceAxis(whole, axis, 0, before), axis);
          out = add(out, padAxis(mirrored, axis, edge, size - edge - before));
        }
        if (after > 0) {
          const mirrored = reverse(sliceAxis(whole, axis, before + size, after), axis);
          out = add(out, padAxis(mirrored, axis, size - edge - after, edge));
        }
      });
      return out;
    },
  }),
};

/** Gradients of operations that move elements. */
export const moveGradients: readonly GradConfig[] = [
  stridedSliceGradient,
  topKGradient,
  gatherNdGradient,
  unpackGradient,
  mirrorPadGradient,
];
