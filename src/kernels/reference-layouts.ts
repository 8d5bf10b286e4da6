/** The oracle for every layout: it computes heads first and padded, so rows are moved there and back. */

import type { HostProgram } from "../core/program.ts";
import { callLayout, type Layout, type RowLayout, relayout } from "./layout.ts";
import {
  type AttentionGradients,
  type AttentionResult,
  referenceAttention,
  referenceAttentionGradients,
  referenceEmptyRows,
} from "./reference.ts";

interface Inputs {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
}

/** How rows are moved between a call's layout and "bhtd". */
function movers(program: HostProgram, layout: Layout) {
  const { shapes, queryLengths, keyLengths } = program;
  const { B, T, S, D, Dv } = shapes;
  const own = callLayout(layout, shapes, queryLengths, keyLengths);
  const plain = callLayout("bhtd", shapes);
  // Packed sequences have no rows beyond their lengths.
  const valid = (lengths: Int32Array | undefined, most: number) => (b: number) =>
    layout === "thd" ? lengths![b]! : most;
  const move = (kind: "queries" | "keys", width: number) => {
    const sizes = { B, width, valid: kind === "queries" ? valid(queryLengths, T) : valid(keyLengths, S) };
    return {
      there: (x: Float64Array) => relayout(own[kind], plain[kind], x, sizes),
      back: (x: Float64Array) => relayout(plain[kind], own[kind], x, sizes),
    };
  };
  return { q: move("queries", D), k: move("keys", D), v: move("keys", Dv), out: move("queries", Dv), own };
}

/** An array with one number a row: [B, H, T] to [H, ΣT] of packed sequences, or from there. */
function perRow(
  { shapes: { B, H, T }, queryLengths }: HostProgram,
  own: RowLayout,
  x: Float64Array,
  to: "own" | "plain",
): Float64Array {
  if (!own.starts) return x;
  const out = new Float64Array(to === "own" ? own.rows(B) : B * H * T);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let i = 0; i < queryLengths![b]!; i++) {
        const [packed, padded] = [own.index(b, h, i), (b * H + h) * T + i];
        if (to === "own") out[packed] = x[padded]!;
        else out[padded] = x[packed]!;
      }
    }
  }
  return out;
}

export function referenceCall(program: HostProgram, layout: Layout, { q, k, v }: Inputs): AttentionResult {
  if (layout === "bhtd") return referenceAttention(program, { q, k, v });
  const move = movers(program, layout);
  const plain = { q: move.q.there(q), k: move.k.there(k), v: move.v.there(v) };
  const { output, lse, weights } = referenceAttention(program, plain);
  return { output: move.out.back(output), lse: perRow(program, move.own.queries, lse, "own"), weights };
}

/** 1 for every row [B, H, T] that sees no key, or a row of lse's order where sequences are packed. */
export function referenceCallEmptyRows(
  program: HostProgram,
  layout: Layout,
  { q, k }: Omit<Inputs, "v">,
): Uint8Array {
  if (layout === "bhtd") return referenceEmptyRows(program, { q, k });
  const move = movers(program, layout);
  const flags = referenceEmptyRows(program, { q: move.q.there(q), k: move.k.there(k) });
  return Uint8Array.from(perRow(program, move.own.queries, Float64Array.from(flags), "own"));
}

export function referenceCallGradients(
  program: HostProgram,
  layout: Layout,
  { q, k, v }: Inputs,
  dout: Float64Array,
  dlse?: Float64Array,
): AttentionGradients {
  if (layout === "bhtd") return referenceAttentionGradients(program, { q, k, v }, dout, dlse);
  const move = movers(program, layout);
  const plain = { q: move.q.there(q), k: move.k.there(k), v: move.v.there(v) };
  const dlsePlain = dlse && perRow(program, move.own.queries, dlse, "plain");
  const all = referenceAttentionGradients(program, plain, move.out.there(dout), dlsePlain);
  return { ...all, dq: move.q.back(all.dq), dk: move.k.back(all.dk), dv: move.v.back(all.dv) };
}
