import { cast, reshape, type Scalar, slice, Tensor, type Tensor3D, transpose } from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { outOfRange } from "../core/faults.ts";
import type { Layout } from "../kernels/layout.ts";
import type { AttentionCall } from "../ops/attention/observe.ts";
import { refusal } from "./refuse.ts";

/** Throws unless what `made` made of B examples has this one. */
export function checkExample(op: string, example: number, made: string, B: number): void {
  if (example < B) return;
  const rule = `an integer from 0 to ${B - 1}, as ${made} has B=${B}`;
  throw new OptionError("OPTION", outOfRange({ op, name: "example", rule, got: example }));
}

/** Example b of a batch, without its axis. */
export function oneOf(x: Tensor, b: number): Tensor {
  const [, ...rest] = x.shape;
  const begin = [b, ...rest.map(() => 0)];
  return reshape(slice(x, begin, [1, ...rest]), rest);
}

/** A tensor of one number as a scalar, of which a gradient can be taken. */
export function oneNumber(op: string, place: string, y: Tensor): Scalar {
  if (y instanceof Tensor && y.size === 1) return reshape(y, []);
  const got = y instanceof Tensor ? `shape [${y.shape.join(", ")}]` : typeof y;
  throw refusal(op, place, "be one number", got, "take one element, such as a class's score");
}

/** One example with its heads first: [H, T, D], also where it has no axis of heads. */
export function headsOf(x: Tensor, layout: Layout, b: number): Tensor3D {
  const one = oneOf(x, b);
  if (one.rank === 2) return reshape(one, [1, one.shape[0]!, one.shape[1]!]);
  return (layout === "bthd" ? transpose(one, [1, 0, 2]) : one) as Tensor3D;
}

/** In which order the axes of a call's values and output are. */
export const layoutOf = ({ scored }: AttentionCall): Layout => scored?.layout ?? "bhtd";

export const numbers = (x: Tensor) => cast(x, "float32").dataSync() as Float32Array;
