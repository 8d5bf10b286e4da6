// The weights themselves, e^(score − lse), for those who ask: rows of queries at a time.
import { at, fma } from "../simd";
import { expBelow, LEAST } from "./exp";
import { decodeProducts, isDecode } from "./decode";
import { plan, transform } from "./mask";
import { panels6, panels8, scale } from "./pack";
import { Problem } from "./problem";
import { below, BK, BQ, blockKeys, LD, products } from "./scores";

/** Bytes of scratch that one thread needs for attentionWeights and attentionProbe. */
export function attentionWeightsScratchBytes(D: i32): i32 {
  return (BQ * BK + BQ * D) << 2;
}

/** Packs the keys of one head for attentionWeights and attentionProbe. */
export function attentionWeightKeys(p: Problem): void {
  if (isDecode(p)) return;
  panels8(p.k, p.kRow, p.S, p.D, p.keyPanels, 1);
}

/** The weights of queries [i0, i1) to `weights` [i1 − row0, S]. */
export function attentionWeights(p: Problem, i0: i32, i1: i32, scratch: usize): void {
  for (let i = i0; i < i1; i += BQ) rows(p, i, min(BQ, i1 - i), scratch);
}

function rows(p: Problem, i0: i32, nq: i32, s: usize): void {
  const S = p.S;
  packQueries(p, i0, nq, s);
  for (let j = 0; j < S; j += BK) {
    const nk = blockKeys(S, j), width = <usize>min(nk, S - j) << 2, visible = blockScores(p, i0, nq, j, nk, s);
    for (let r = 0; r < nq; r++) {
      const row = s + <usize>r * LD, out = at(p.weights, (i0 - p.row0 + r) * S + j);
      if (!visible) {
        memory.fill(out, 0, width);
        continue;
      }
      weigh(row, nk, f32.load(at(p.lse, i0 + r)), f32.load(at(p.lseLow, i0 + r)));
      memory.copy(out, row, width);
    }
  }
}

/** Packs queries [i0, i0 + nq) for blockScores, behind the scores in its scratch. */
export function packQueries(p: Problem, i0: i32, nq: i32, s: usize): void {
  if (isDecode(p)) return;
  const queries = at(s, BQ * BK);
  panels6(at(p.q, i0 * p.qRow), p.qRow, nq, p.D, queries);
  scale(queries, ((nq + 5) / 6) * 6 * p.D, p.scale);
}

/** The scores of queries [i0, i0 + nq) × keys [j, j + nk) to s; false where nothing of them is visible. */
export function blockScores(p: Problem, i0: i32, nq: i32, j: i32, nk: i32, s: usize): bool {
  const todo = plan(p, i0, i0 + nq, j, j + nk);
  if (todo < 0) return false;
  if (isDecode(p)) {
    const keys = min(nk, p.S - j);
    decodeProducts(at(p.q, i0 * p.qRow), p.qRow, at(p.k, j * p.kRow), p.kRow, s, LD, 4, nq, keys, p.D, p.scale);
  } else products(at(s, BQ * BK), at(p.keyPanels, j * p.D), s, nq, nk, p.D);
  if (todo) transform(p, todo, false, s, LD, nq, nk, i0, nq, j, 0);
  return true;
}

/** nk scores, a multiple of 8, → their weights w, in place. Returns Σ w·(score − lse) in four lanes: the entropy −Σ w ln w, negated. */
export function weigh(row: usize, nk: i32, lse: f32, lseLow: f32): v128 {
  const subtracted = f32x4.splat(lse), low = f32x4.splat(lseLow), least = f32x4.splat(LEAST), width = <usize>nk << 2;
  let sum0 = f32x4.splat(0), sum1 = sum0;
  for (let c: usize = 0; c < width; c += 32) {
    const y0 = below(v128.load(row + c), subtracted, low);
    const y1 = below(v128.load(row + c, 16), subtracted, low);
    const w0 = expBelow(y0), w1 = expBelow(y1);
    v128.store(row + c, w0); v128.store(row + c, w1, 16);
    // Where y is −∞ w is 0, and 0 · LEAST is 0.
    sum0 = fma(w0, f32x4.pmax(y0, least), sum0); sum1 = fma(w1, f32x4.pmax(y1, least), sum1);
  }
  return f32x4.add(sum0, sum1);
}
