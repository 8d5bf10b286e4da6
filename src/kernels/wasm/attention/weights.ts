import { type Call, Pass, roundUp, type Workspace } from "./pass.ts";
import { BLOCK_ROWS } from "./stripes.ts";

const STRIPE_FLOATS = 2 ** 18;

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

/** Rows of a stripe of weights. */
export function weightStripeRows(T: number, S: number): number {
  return Math.max(1, Math.min(T, roundUp(STRIPE_FLOATS / Math.max(S, 1), BLOCK_ROWS)));
}

/**
 * Computes the weights e^(score − lse) again from operands `q` and `k`, before dropout and without the sink's share,
 * and shows them to `visit` a stripe at a time: memory O(T), whatever T × S is. Rows that see no key are 0.
 */
export function weightsPass(
  workspace: Workspace,
  call: Call,
  lse: () => Float32Array,
  visit: (stripe: WeightStripe) => void,
): void {
  const { program, layout } = call;
  const { T, S, D } = program.shapes;
  const { kernels, memory } = workspace.space;
  const mostRows = weightStripeRows(T, S);
  const pass = new Pass(workspace, call, {
    operands: ["q", "k"],
    scratchBytes: kernels.attentionWeightsScratchBytes!(D),
    mostRows,
    packed: (arena) => ({
      lse: arena.floats(T),
      keyPanels: arena.floats(roundUp(S, 24) * D),
      weights: arena.floats(mostRows * S),
    }),
  });
  const all = lse();
  pass.run({
    enter: (wave) => pass.each("attentionWeightKeys", wave, (slot) => 4 * slot.S * D),
    head: (wave) => {
      for (const { own, b, h, T: valid } of wave) {
        const first = layout.queries.index(b, h, 0);
        new Float32Array(memory.buffer, own.lse, valid).set(all.subarray(first, first + valid));
      }
      pass.eachStripe(wave, (slots, i0, end) => {
        pass.eachQueries("attentionWeights", slots, [i0, end], 2 * D);
        for (const { own, b, h, T: valid, S } of slots) {
          const i1 = Math.min(valid, end);
          const values = new Float32Array(memory.buffer, own.weights, (i1 - i0) * S);
          visit({ b, h, i0, i1, S, address: own.weights, values });
        }
      });
    },
  });
}
