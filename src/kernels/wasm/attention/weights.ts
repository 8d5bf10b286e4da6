import type { AttentionShapes } from "../../../core/notation.ts";
import type { HostProgram } from "../../../core/program.ts";
import { type Call, type LogSumExp, Pass, roundUp, viewsOf, type Workspace } from "./pass.ts";
import { BLOCK_ROWS } from "./stripes.ts";
import type { EmptyRow } from "./uniform.ts";

/** A stripe of weights is visited at once: small enough for the second cache. */
const VISIT_FLOATS = 2 ** 18;

/** Weights of queries [i0, i1) of one head, [i1 − i0, S], valid until the visit ends. S is what padding leaves. */
export interface WeightStripe {
  readonly b: number;
  readonly h: number;
  readonly i0: number;
  readonly i1: number;
  readonly S: number;
  /** Where they are in the memory of the kernels. */
  readonly address: number;
  readonly values: Float32Array;
}

/** Puts a stripe in its place among all weights [B, H, T, S]; what padding leaves out keeps its value. */
export function storeWeights(
  { H, T, S }: Pick<AttentionShapes, "H" | "T" | "S">,
  { b, h, i0, i1, S: visible, values }: WeightStripe,
  weights: Float32Array,
): void {
  const row = (i: number) => ((b * H + h) * T + i) * S;
  if (visible === S) weights.set(values, row(i0));
  else {
    for (let i = i0; i < i1; i++) {
      weights.set(values.subarray((i - i0) * visible, (i - i0 + 1) * visible), row(i));
    }
  }
}

/** Rows that see no key and weigh those within `keyLengths` alike. */
export function fillUniformWeights(
  { keyLengths, shapes: { H, T, S } }: HostProgram,
  rows: readonly EmptyRow[],
  weights: Float32Array,
): void {
  for (const { b, h, i } of rows) {
    const n = keyLengths ? keyLengths[b]! : S;
    const start = ((b * H + h) * T + i) * S;
    weights.fill(1 / n, start, start + n);
  }
}

/** Rows of a stripe of weights. */
function weightStripeRows(T: number, S: number): number {
  return Math.max(1, Math.min(T, roundUp(VISIT_FLOATS / Math.max(S, 1), BLOCK_ROWS)));
}

/**
 * Computes the weights e^(score − lse) again from operands `q` and `k`, before dropout and without the sink's share,
 * and shows them to `visit` a stripe at a time: memory O(T), whatever T × S is. Rows that see no key are 0.
 */
export function weightsPass(
  workspace: Workspace,
  call: Call,
  lse: LogSumExp,
  visit: (stripe: WeightStripe) => void,
): void {
  const { program } = call;
  const { T, S, D } = program.shapes;
  const { kernels, memory } = workspace.space;
  const mostRows = weightStripeRows(T, S);
  const pass = new Pass(workspace, call, {
    operands: ["q", "k"],
    scratchBytes: kernels.attentionWeightsScratchBytes!(D),
    mostRows,
    packed: (arena) => ({
      ...{ lse: arena.floats(T), lseLow: arena.floats(T) },
      keyPanels: arena.floats(roundUp(S, 24) * D),
      weights: arena.floats(mostRows * S),
    }),
  });
  const views = viewsOf(lse);
  pass.run({
    keysReady: (batch) => pass.each("attentionWeightKeys", batch, (group) => 4 * group.S * D),
    headReady: (batch) => {
      for (const group of batch) pass.bringLse(group, views);
      pass.eachStripe(batch, (groups, i0, end) => {
        pass.eachQueries("attentionWeights", groups, [i0, end], 2 * D);
        for (const { own, b, h, T: valid, S } of groups) {
          const i1 = Math.min(valid, end);
          const values = new Float32Array(memory.buffer, own.weights, (i1 - i0) * S);
          visit({ b, h, i0, i1, S, address: own.weights, values });
        }
      });
    },
  });
}
