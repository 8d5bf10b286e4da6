import { backend_util, type TensorInfo } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { type HeedKernel, runStockKernel } from "../register.ts";
import type { ConvAttrs, Shape4 } from "./conv.ts";

/**
 * The stock kernel `kernelName`, refusing the geometries on which it writes outside its output. TensorFlow.js sizes
 * the output of a numeric padding by the filter's height and the vertical stride alone, XNNPACK by each axis' own.
 */
export function safeConvolution(kernelName: string, op: string, depthwise: boolean): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const { x, filter } = inputs as { x: TensorInfo; filter: TensorInfo };
    const { strides, dilations, pad, dimRoundingMode, dataFormat } = attrs as unknown as ConvAttrs;
    const c = backend_util.computeConv2DInfo(
      x.shape as Shape4,
      filter.shape as Shape4,
      strides,
      dilations ?? 1,
      pad,
      dimRoundingMode,
      depthwise,
      backend_util.convertConv2DDataFormat(dataFormat ?? "NHWC"),
    );
    const { top, bottom, left, right, type } = c.padInfo;
    const height = outputSize(c.inHeight + top + bottom, c.effectiveFilterHeight, c.strideHeight);
    const width = outputSize(c.inWidth + left + right, c.effectiveFilterWidth, c.strideWidth);
    if (type !== "SAME" && (height !== c.outHeight || width !== c.outWidth)) {
      throw new ShapeError("SHAPE", {
        op,
        rule: `padding ${JSON.stringify(pad)} must give the ${height}×${width} output of its filter and strides`,
        got: `${c.outHeight}×${c.outWidth} from TensorFlow.js, which counts only the filter's height`,
        remedy: `apply tf.pad to x and use "valid"`,
      });
    }
    return runStockKernel(kernelName, inputs, hasSpare(c) ? { ...attrs, pad: explicit(c) } : attrs, heap);
  };
}

/**
 * Whether "same" padding would have to be negative along an axis, as the strides leave out pixels at the image's end:
 * XNNPACK, which works out "same" by itself, then begins somewhere else.
 */
function hasSpare(c: backend_util.Conv2DInfo): boolean {
  const spare = (size: number, out: number, filter: number, stride: number) =>
    (out - 1) * stride + filter < size;
  return (
    c.padInfo.type === "SAME" &&
    (spare(c.inHeight, c.outHeight, c.effectiveFilterHeight, c.strideHeight) ||
      spare(c.inWidth, c.outWidth, c.effectiveFilterWidth, c.strideWidth))
  );
}

/** The same padding in numbers. */
function explicit({ padInfo: { top, bottom, left, right } }: backend_util.Conv2DInfo) {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

function outputSize(padded: number, filter: number, stride: number): number {
  return Math.floor((padded - filter) / stride) + 1;
}
