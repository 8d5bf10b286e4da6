import { cast, reshape, slice, type Tensor } from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";

/** Throws unless what `made` made of B examples has this one. */
export function checkExample(op: string, example: number, made: string, B: number): void {
  if (example < B) return;
  const rule = `an integer from 0 to ${B - 1}, as ${made} has B=${B}`;
  throw new OptionError("NUMBER_RANGE", { op, name: "example", rule, got: example });
}

/** Example b of a batch, without its axis. */
export function oneOf(x: Tensor, b: number): Tensor {
  const [, ...rest] = x.shape;
  const begin = [b, ...rest.map(() => 0)];
  return reshape(slice(x, begin, [1, ...rest]), rest);
}

export const numbers = (x: Tensor) => cast(x, "float32").dataSync() as Float32Array;
