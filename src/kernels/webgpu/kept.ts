/** What passes share that make the weights anew, from q, k and what the forward pass kept. */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { PassBinding } from "./pass.ts";
import { bindingOf, type Slice, scoreBindings } from "./slices.ts";

/** The buffers that they read: `q k [bias] [allow] [tensors] lse`. `bytes` are those of an element of q and k. */
export function keptBindings(
  program: AttentionProgram<ArrayInfo>,
  slice: Slice,
  bytes: number,
): PassBinding[] {
  return [
    bindingOf(slice, "q", "read", "q", bytes),
    bindingOf(slice, "k", "read", "k", bytes),
    ...scoreBindings(program, slice),
    { name: "lse", access: "read" },
  ];
}

/** What the thread's four rows need: lse, what rounding took from it, and the rows that weigh all keys alike. */
export const KEPT_ROWS = /* wgsl */ `
struct Kept { high: vec4f, low: vec4f, hollow: vec4<bool> }
fn keptOf(e: Example, b: i32, h: i32, i: i32) -> Kept {
  var kept: Kept;
  for (var r = 0; r < 4; r++) {
    // Rows beyond the valid ones may have no number of their own.
    let isThere = i + r < e.queryLength;
    let row = rowOf(e, b, h) + select(0, i + r, isThere);
    let high = lse[row];
    let low = lse[u.rows + row];
    kept.hollow[r] = isThere && low == u.infinity;
    kept.high[r] = select(high, LARGEST, high == u.infinity);
    kept.low[r] = select(0.0, low, isThere && low != u.infinity);
  }
  return kept;
}
`;
