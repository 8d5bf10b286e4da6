import { checkCount } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";

/** Where in the random numbers a draw begins. */
export interface RandomDraw {
  /** An integer ≥ 0: the same seed and stream draw the same everywhere. Give another one for each step. */
  seed: number;
  /** Tells apart the places of a model that share a seed; an integer ≥ 0. @default 0 */
  stream?: number;
}

/** @throws OptionError OPTION unless seed and stream are integers ≥ 0 */
export function checkDraw(op: string, { seed, stream = 0 }: Partial<RandomDraw>): Required<RandomDraw> {
  for (const [name, got] of [
    ["seed", seed],
    ["stream", stream],
  ] as const) {
    checkCount(op, name, got, 0);
  }
  return { seed: seed!, stream };
}

/** @throws OptionError OPTION unless low ≤ got ≤ high */
export function checkShare(op: string, name: string, got: number): void {
  if (got >= 0 && got <= 1) return;
  throw new OptionError("OPTION", outOfRange({ op, name, rule: "from 0 to 1", got }));
}

/** @throws ShapeError SHAPE unless there is a key to choose */
export function checkKeys(op: string, name: string, S: number | undefined): void {
  if (S) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `${name} must have S ≥ 1 keys`,
    got: `S = ${S ?? "none"}`,
    remedy: "there must be something to choose",
  });
}
