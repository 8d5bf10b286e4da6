import type { Tensor } from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { show } from "../../core/notation.ts";
import { canRead } from "../../ops/attention/guard.ts";

/**
 * On a device whose answer would have to be waited for nothing is read, and nothing is refused.
 *
 * @throws OptionError DTYPE unless every number is 0 or 1
 */
export function checkSpikes(op: string, name: string, x: Tensor): void {
  if (x.dtype === "bool" || !canRead()) return;
  const values = x.dataSync();
  const other = values.findIndex((value) => value !== 0 && value !== 1);
  if (other < 0) return;
  throw new OptionError("DTYPE", {
    op,
    rule: `${name} must hold spikes, 0 or 1 everywhere`,
    got: `${values[other]} at element ${other}`,
    remedy: "pass currents through leakyIntegrateAndFire first",
  });
}

/** @throws ShapeError SHAPE unless there is a time step */
export function checkTimeSteps(op: string, name: string, { shape }: Tensor): void {
  if (shape[0]) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `${name} must have N ≥ 1 time steps`,
    got: `shape ${show(shape)}`,
    remedy: "put time first",
  });
}
