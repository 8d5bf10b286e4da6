// The weights themselves, e^(score − lse), for those who ask: rows of queries at a time.
import { at } from "../simd";
import { expBelow } from "./exp";
import { FEW } from "./few";
import { fewPairs } from "./few-backward";
import { plan, transform } from "./mask";
import { panels6, panels8, scale } from "./pack";
import { Problem } from "./problem";
import { BK, BQ, blockKeys, LD, products, subtrahend } from "./scores";

/** Bytes of scratch that one thread needs for attentionWeights. */
export function attentionWeightsScratchBytes(D: i32): i32 {
  return (BQ * BK + BQ * D) << 2;
}

/** Packs the keys of one head for attentionWeights. */
export function attentionWeightKeys(p: Problem): void {
  if (p.T <= FEW) return;
  panels8(p.k, p.kRow, p.S, p.D, p.keyPanels, 1);
}

/** The weights of queries [i0, i1) to `weights` [i1 − row0, S]. */
export function attentionWeights(p: Problem, i0: i32, i1: i32, scratch: usize): void {
  for (let i = i0; i < i1; i += BQ) rows(p, i, min(BQ, i1 - i), scratch);
}

function rows(p: Problem, i0: i32, nq: i32, s: usize): void {
  const S = p.S, D = p.D, queries = at(s, BQ * BK), few = p.T <= FEW, q = at(p.q, i0 * p.qRow);
  if (!few) {
    panels6(q, p.qRow, nq, D, queries);
    scale(queries, ((nq + 5) / 6) * 6 * D, p.scale);
  }
  for (let j = 0; j < S; j += BK) {
    const nk = blockKeys(S, j), todo = plan(p, i0, i0 + nq, j, j + nk), width = <usize>min(nk, S - j) << 2;
    if (todo >= 0) {
      if (few) fewPairs(q, p.qRow, at(p.k, j * p.kRow), p.kRow, s, nq, min(nk, S - j), D, p.scale);
      else products(queries, at(p.keyPanels, j * D), s, nq, nk, D);
      if (todo) transform(p, todo, false, s, LD, nq, nk, i0, nq, j, 0);
    }
    for (let r = 0; r < nq; r++) {
      const row = s + <usize>r * LD, out = at(p.weights, (i0 - p.row0 + r) * S + j);
      if (todo < 0) {
        memory.fill(out, 0, width);
        continue;
      }
      const lse = subtrahend(f32.load(at(p.lse, i0 + r)));
      for (let c: usize = 0; c < width; c += 16) v128.store(row + c, expBelow(f32x4.sub(v128.load(row + c), lse)));
      memory.copy(out, row, width);
    }
  }
}
