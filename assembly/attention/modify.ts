// Functions of scores that users write, `scoreMod` and `maskMod`: compiled to a module of their own when a call needs it,
// on the same memory, and put into the table of this one (src/core/expression/wasm/module.ts makes them). They are called
// once a tile, while it is in the first cache, so that their loops run at the speed of those beside them.
//
// Ladder: speed beside the option for the same, T = S = 1024, H = 4, D = 64, one thread, Node 20, relaxed build, medians of
// fifteen pairs of processor time on a busy machine (`npm run prove -- speed/score-mod`); in brackets the gradients.
//                                          ALiBi      soft-cap        window ± 128     8 documents of 256, time / blocks
//   called once a tile                     1.04       0.94 (1.02)     0.85 (0.99)      1.26 (1.16)
//   + blocks begin and end with what is
//     seen, in groups of 24 keys           1.02       0.95 (1.02)     0.94 (0.98)      1.17 (1.15)
import { Problem } from "./problem";

// Their places in the table, from `functions` on.
// @ts-ignore: decorator
@inline const PLAN: u32 = 0;
// @ts-ignore: decorator
@inline const KEYS: u32 = 1;
// @ts-ignore: decorator
@inline const QUERIES: u32 = 2;
// @ts-ignore: decorator
@inline const SLOPES: u32 = 3;
// @ts-ignore: decorator
@inline const GRADIENTS: u32 = 4;

/** What `planModified` answers of a block: some of it is hidden, its scores change. */
// @ts-ignore: decorator
@inline export const MASKED: i32 = 1;
// @ts-ignore: decorator
@inline export const CHANGED: i32 = 2;

/** MASKED and CHANGED of queries [i0, i1) × keys [j0, j1), −1 where nothing of them is visible. */
export function planModified(p: Problem, i0: i32, i1: i32, j0: i32, j1: i32): i32 {
  return call_indirect<i32>(p.functions + PLAN, p.modification, p.b, p.h, i0, i1 - 1, j0, j1 - 1);
}

// Packed keys can begin at any multiple of this.
const GROUP: i32 = 24;

/** How many of nk keys from j0 on, whole groups, come before the first that some query sees; one group stays. */
export function hiddenBefore(p: Problem, i0: i32, i1: i32, j0: i32, nk: i32): i32 {
  let n = 0;
  while (n + GROUP < nk && planModified(p, i0, i1, j0 + n, j0 + n + GROUP) < 0) n += GROUP;
  return n;
}

/** How many of nk keys from j0 on remain without the groups at the end that no query sees; one stays. */
export function seenUntil(p: Problem, i0: i32, i1: i32, j0: i32, nk: i32): i32 {
  let n = nk;
  while (n > GROUP) {
    const last = ((n - 1) / GROUP) * GROUP;
    if (planModified(p, i0, i1, j0 + last, j0 + n) >= 0) break;
    n = last;
  }
  return n;
}

/** Does what `todo` asks for to a tile, as `transform` of mask.ts. */
export function modify(
  p: Problem, todo: i32, keyRows: bool, tile: usize, ld: usize, rows: i32, lanes: i32, i0: i32, j0: i32,
): void {
  const place = p.functions + (keyRows ? KEYS : QUERIES);
  call_indirect<void>(place, p.modification, p.b, p.h, i0, j0, tile, ld, rows, lanes, todo);
}

/** The same where rows are queries, and the derivatives by the scores to `slope`. */
export function modifySloped(
  p: Problem, todo: i32, tile: usize, ld: usize, rows: i32, lanes: i32, i0: i32, j0: i32, slope: usize,
): void {
  call_indirect<void>(
    p.functions + SLOPES, p.modification, p.b, p.h, i0, j0, tile, ld, rows, lanes, todo, slope,
  );
}

/** Adds the gradients of captured tensors to float64 `sums`: `tile` holds the scores before their change. */
export function addTensorGradients(
  p: Problem, tile: usize, ld: usize, rows: i32, lanes: i32, i0: i32, j0: i32, dscore: usize, sums: usize,
): void {
  call_indirect<void>(
    p.functions + GRADIENTS, p.modification, p.b, p.h, i0, j0, tile, ld, rows, lanes, CHANGED, dscore, sums,
  );
}
