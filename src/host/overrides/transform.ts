import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

/** Where a coordinate beyond the image of `size` pixels is read: abcd goes on as dcba|abcd|dcba, abcd|abcd, aaaa|abcd. */
const FILL: Record<string, (at: number, size: number) => number> = {
  constant: (at) => at,
  nearest: (at, size) => util.clamp(0, at, size - 1),
  reflect: (at, size) => {
    const period = 2 * size;
    let inside = at;
    if (at < 0) {
      inside = period * Math.trunc(-at / period) + at;
      inside = inside < -size ? inside + period : -inside - 1;
    } else if (at > size - 1) {
      inside = at - period * Math.trunc(at / period);
      if (inside >= size) inside = period - inside - 1;
    }
    return size <= 1 && inside !== at ? 0 : util.clamp(0, inside, size - 1);
  },
  wrap: (at, size) => {
    if (at >= 0 && at <= size - 1) return at;
    if (size <= 1) return 0;
    const turns = Math.trunc(Math.abs(at) / (size - 1));
    return util.clamp(0, at < 0 ? at + size * (turns + 1) : at - size * turns, size - 1);
  },
};

/** Images under projective maps. (The stock kernel reflects to the far side.) */
export const transform: HeedKernel = ({ inputs, attrs, heap }) => {
  const { image, transforms } = inputs as Record<"image" | "transforms", TensorInfo>;
  const { interpolation, fillMode, fillValue, outputShape } = attrs as {
    interpolation: "nearest" | "bilinear";
    fillMode: string;
    fillValue: number;
    outputShape?: [number, number];
  };
  const [B, H, W, C] = image.shape as [number, number, number, number];
  const [outH, outW] = outputShape ?? [H, W];
  for (const tensor of [image, transforms]) heap.address(tensor);
  const out = heap.output("transform", [B, outH, outW, C], image.dtype);
  const [from, maps, to] = [heap.view(image), heap.view(transforms), heap.view(out).fill(fillValue)];
  const fill = FILL[fillMode] ?? FILL.constant!;
  const read = (b: number, y: number, x: number, c: number) =>
    y >= 0 && y < H && x >= 0 && x < W ? from[((b * H + y) * W + x) * C + c]! : fillValue;
  let at = 0;
  for (let b = 0; b < B; b++) {
    const map = maps.subarray(transforms.shape[0] === 1 ? 0 : 8 * b);
    for (let outY = 0; outY < outH; outY++) {
      for (let outX = 0; outX < outW; outX++, at += C) {
        const depth = map[6]! * outX + map[7]! * outY + 1;
        if (depth === 0) continue;
        const x = fill((map[0]! * outX + map[1]! * outY + map[2]!) / depth, W);
        const y = fill((map[3]! * outX + map[4]! * outY + map[5]!) / depth, H);
        const [left, top] = [Math.floor(x), Math.floor(y)];
        for (let c = 0; c < C; c++) {
          if (interpolation === "nearest") to[at + c] = read(b, Math.round(y), Math.round(x), c);
          else {
            const upper = (left + 1 - x) * read(b, top, left, c) + (x - left) * read(b, top, left + 1, c);
            const lower =
              (left + 1 - x) * read(b, top + 1, left, c) + (x - left) * read(b, top + 1, left + 1, c);
            to[at + c] = (top + 1 - y) * upper + (y - top) * lower;
          }
        }
      }
    }
  }
  return out;
};
