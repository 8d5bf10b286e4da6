import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { Parameters } from "../../../src/models/parameters.ts";
import { ROUNDING } from "../../attention/support.ts";
import { unitDirection } from "../slope.ts";

/** Along a direction of length 1; the five-point difference errs by h⁴·f⁽⁵⁾/30, 2e-9 for a fifth derivative near 1. */
const STEP = 2 ** -6;

/**
 * Holds the gradient of every parameter to the change of the loss along a direction of it. A loss with R roundings on its way
 * is wrong by R·2⁻²⁴ of its size, and the difference divides 1.5 times that by the step.
 */
export function expectSlopes(
  { variables }: Parameters,
  loss: () => tf.Scalar,
  { roundings = 8, without = [] as readonly string[] } = {},
): void {
  const size = Math.abs(tf.tidy(() => loss().dataSync()[0]!));
  const tolerance = (1.5 * roundings * ROUNDING * Math.max(1, size)) / STEP;
  tf.tidy(() => {
    const { grads } = tf.variableGrads(loss, Object.values(variables));
    for (const [at, [name, variable]] of Object.entries(variables).entries()) {
      const direction = tf.tensor(unitDirection(variable.size, at), variable.shape);
      const start = tf.clone(variable);
      const along = (steps: number) => {
        variable.assign(tf.add(start, tf.mul(direction, steps * STEP)));
        return tf.tidy(() => loss().dataSync()[0]!);
      };
      const numeric = (8 * (along(1) - along(-1)) - (along(2) - along(-2))) / (12 * STEP);
      variable.assign(start);
      const gradient = grads[variable.name];
      const analytic = gradient ? tf.sum(tf.mul(gradient, direction)).dataSync()[0]! : 0;
      if (without.includes(name)) {
        expect(analytic, name).toBe(0);
        continue;
      }
      expect(Math.abs(analytic - numeric), `${name}: ${analytic} against ${numeric}`).toBeLessThanOrEqual(
        tolerance,
      );
      expect(analytic, name).not.toBe(0);
    }
  });
}
