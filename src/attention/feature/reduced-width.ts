import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";

export interface ReducedWidthOptions {
  /** How many times narrower than the channels; a positive number. @default 16 */
  ratio?: number;
  /** Round to a multiple of this, at least one, as timm does with 8; a positive integer. @default rounds down to 1 */
  divisor?: number;
}

/**
 * The width R of the bottleneck of squeeze-and-excitation and its kin.
 *
 *     R = max(1, ⌊C/r⌋),    or with a divisor d:  R = max(d, d·⌊C/(r·d) + ½⌋)
 *
 * Symbols: C channels, r the ratio. Shapes: a number → a number.
 * Conventions: where C < r the width is 1, and the block works; a width of 0 would pass nothing on. Keras code that
 * writes `C // r` refuses there. Cost: O(1).
 * Papers: Hu, Shen & Sun 2018, §3.2, arxiv.org/abs/1709.01507; the divisor is timm's `make_divisible`.
 *
 * @throws OptionError OPTION
 * @draws
 * const widths = Array.from({ length: 24 }, (_, n) => reducedWidth(16 * (n + 1)));
 * return tf.tensor2d(Array.from({ length: 576 }, (_, e) => (widths[e % 24] > 23 - Math.floor(e / 24) ? 1 : 0)), [24, 24]);
 * @example
 * reducedWidth(256); // 16
 * reducedWidth(12); // 1
 * reducedWidth(200, { divisor: 8 }); // 16
 */
export function reducedWidth(C: number, { ratio = 16, divisor }: ReducedWidthOptions = {}): number {
  const op = "reducedWidth";
  const range = (name: string, rule: string, got: unknown) =>
    new OptionError("OPTION", outOfRange({ op, name, rule, got }));
  if (!(Number.isSafeInteger(C) && C >= 1)) throw range("C", "an integer ≥ 1", C);
  if (!(ratio > 0 && ratio < Infinity)) throw range("ratio", "a positive number", ratio);
  if (divisor === undefined) return Math.max(1, Math.floor(C / ratio));
  if (!(Number.isSafeInteger(divisor) && divisor >= 1)) throw range("divisor", "an integer ≥ 1", divisor);
  return Math.max(divisor, Math.floor((C / ratio + divisor / 2) / divisor) * divisor);
}
