import { ShapeError } from "../../core/errors.ts";
import { wrongCount } from "../../core/faults.ts";
import { size } from "../../core/notation.ts";
import { MASKED, NOT_FINITE, VALUE } from "../cells.ts";
import { type MaskSpec, visibleKeys } from "../mask.ts";
import type { RowSums } from "../trace/trace.ts";
import { AttentionMap } from "./map.ts";

export interface DenseWeights {
  readonly H: number;
  readonly T: number;
  readonly S: number;
  /** [H, T, S], row-major; shared, not copied. */
  readonly weights: ArrayLike<number>;
  /** True or 1 where a query may attend: [T, S] or [H, T, S]. */
  readonly mask?: ArrayLike<number | boolean>;
  readonly maskSpec?: MaskSpec;
  /** @default "one" */
  readonly rowSums?: RowSums;
}

/**
 * A map of weights in an array. Unlike a trace, it is not checked: what is not finite is marked so in its cells.
 *
 * @throws ShapeError SHAPE
 * @example
 * const map = denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0.25, 0.75], maskSpec: { right: 0 } });
 * map.row(0, 0).kinds; // Uint8Array [0, 1]
 */
export function denseMap({ H, T, S, weights, mask, maskSpec, rowSums = "one" }: DenseWeights): AttentionMap {
  const op = "denseMap";
  const expected = size([H, T, S]);
  if (weights.length !== expected) {
    const got = weights.length;
    throw new ShapeError("SHAPE", wrongCount({ op, name: "weights", letters: "H·T·S", expected, got }));
  }
  if (mask && mask.length !== expected && mask.length !== T * S) {
    const got = mask.length;
    throw new ShapeError("SHAPE", wrongCount({ op, name: "mask", letters: "T·S", expected: T * S, got }));
  }
  const perHead = mask?.length === expected ? T * S : 0;
  return new AttentionMap(
    { H, T, S, source: "dense", rowSums, maskSpec },
    {
      range: (_, t) => visibleKeys(maskSpec, t, S),
      visible(h, t, from, to) {
        if (mask || !(weights instanceof Float32Array)) return undefined;
        const row = (h * T + t) * S;
        return weights.subarray(row + from, row + to);
      },
      read(h, t, from, to, out, at) {
        const row = (h * T + t) * S;
        for (let s = from, e = at; s < to; s++, e++) {
          const weight = weights[row + s]!;
          const hidden = mask && !mask[h * perHead + t * S + s];
          const kind = hidden ? MASKED : Number.isFinite(weight) ? VALUE : NOT_FINITE;
          out.kinds[e] = kind;
          out.values[e] = kind === VALUE ? weight : 0;
        }
      },
    },
  );
}
