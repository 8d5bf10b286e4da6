/**
 * What attention looked at, at any length: statistics of the weights
 *
 *     w[b,h,i,j] = e^(score(b,h,i,j) − lse[b,h,i])
 *
 * from q, k and the log-sum-exp alone. Blocks of weights are computed again, summed up and forgotten: a head of
 * 16,384 × 16,384 and D = 64, whose weights are 1024 MiB, needs 13.3 MiB of kernel memory (q, k and k packed, 4 each).
 * The weights are those that `attention` returns with `weights: true`: before dropout and without the sink's share,
 * 0 where nothing is visible, equal ones in empty rows under `onEmptyRow: "uniform"`. What is asked together is
 * computed in one pass; `rows` computes those rows alone, and `sinkMass` no weights at all.
 *
 *     rows        w[b,h,i,:] of the queries named, to the bit
 *     tiles       mean w of each tile; tile r holds queries from ⌊rT/R⌋ to ⌊(r+1)T/R⌋, tile c likewise keys
 *     blockMax    the largest w of each block of n queries × n keys; the last blocks may be smaller
 *     topK        the k largest w > 0 of each query and their keys, the lowest key first among equals
 *     max         the same for k = 1
 *     entropy     −Σ_j w ln w, in nats; 0 for an empty row
 *     distance    Σ_j w·|i + offset − j|, how far from its own position a query looks
 *     columnMass  Σ_i w, the attention that a key receives
 *     sinkMass    m = e^(sink − lse): with a sink, Σ_j w + m = 1
 *
 * Shapes: [B, H, T, …] or [B, H, S] in every layout, T and S of the longest sequence where they are packed: queries
 * that are padding, or that a packed sequence does not have, are rows without weights.
 * With a sink, entropy and distance are sums over the keys as they stand: entropy − m ln m is that of keys and sink
 * together, entropy / (1 − m) + ln(1 − m) that of the keys among themselves, distance / (1 − m) their mean distance.
 * float32 sums run in float32 over blocks of 48 × 96 and in float64 beyond: entropy is within 2⁻¹⁹ of itself and 2⁻²²
 * of that of the float32 weights (w = e^y is right to 2⁻²³ and stands for ln w = y, which saves the logarithm),
 * the others within 2⁻¹⁹ of themselves. The same bits come from any number of threads.
 * Cost: 2·T·S·D flops a head, half of the forward pass, less what masks empty by whole blocks, and 12·S·D a row;
 * measured, 0.7 to 0.9 of the forward pass (assembly/attention/probe.ts). Memory: O((T + S)·D) and what is returned.
 */

import { OptionError } from "../core/errors.ts";
import { notAChoice, outOfRange } from "../core/faults.ts";
import type { HostProgram } from "../core/program.ts";
import { sinkOf } from "../core/program-rows.ts";
import { checkObject, checkSaved, described } from "./arguments.ts";
import type { SavedAttention } from "./attention.ts";
import { checkArrays } from "./check.ts";
import { readyEngine } from "./init.ts";
import { callLayout, type FloatArray } from "./layout.ts";
import type { ProbeRequest, ProbeResult, Probes } from "./probe-types.ts";
import { referenceCall } from "./reference-layouts.ts";
import { referenceProbe } from "./reference-probe.ts";
import { blocksOf, cuts, type ProbeArrays, type ProbePlan } from "./wasm/attention/probe.ts";

export type { ProbeRequest, ProbeResult, Probes } from "./probe-types.ts";

const OP = "probe";
const NAMES = ["rows", "tiles", "blockMax", "topK", "max", "entropy", "distance", "columnMass", "sinkMass"];
/** Positions beyond this are no longer exact in float32. */
const FARTHEST = 2 ** 24;

/**
 * Statistics of the weights of the call that gave `saved`. Dropout and `v` play no part.
 *
 * @throws OptionError OPTION, DTYPE, NOT_READY · ShapeError SHAPE · MemoryError MEMORY ·
 *   WorkerError WORKER
 * @example
 * await init();
 * const [q, k, v] = [Float32Array.of(1), Float32Array.of(0, Math.log(3)), Float32Array.of(4, 8)];
 * const { saved } = attention(q, k, v, { B: 1, H: 1, T: 1, S: 2, D: 1 });
 * const { max, entropy } = probe(saved, { max: true, entropy: true });
 * max.key[0]; // 1
 * max.weight[0].toFixed(3); // "0.750"
 * entropy[0].toFixed(3); // "0.562"
 */
export function probe<A extends FloatArray, const R extends ProbeRequest>(
  saved: SavedAttention<A>,
  request: R,
): ProbeResult<A, R> {
  checkProbe(OP, saved, request);
  const { program } = saved;
  if (!isFloat32(saved)) {
    const weights = referenceWeights(saved as SavedAttention<Float64Array>);
    return referenceProbe(program, weights, request) as ProbeResult<FloatArray, R> as ProbeResult<A, R>;
  }
  return kernelProbe(saved, request) as ProbeResult<FloatArray, R> as ProbeResult<A, R>;
}

/**
 * Checks a saved call, and what is asked of it, of which `names` may be.
 *
 * @throws OptionError OPTION, DTYPE · ShapeError SHAPE
 */
export function checkProbe(
  op: string,
  saved: SavedAttention,
  request: ProbeRequest,
  names: readonly string[] = NAMES,
): void {
  checkSaved(op, saved, ["q", "k", "v", "lse", "lseLow"], "q");
  checkObject(op, "request", request, "name what to find out, as in { max: true }");
  const { program, layout, q, k } = saved;
  checkRequest(op, program, request, names);
  checkArrays(op, program, layout, { q, k });
}

function isFloat32(saved: SavedAttention): saved is SavedAttention<Float32Array> {
  return saved.q instanceof Float32Array;
}

function referenceWeights({ program, layout, q, k, v }: SavedAttention<Float64Array>): Float64Array {
  return referenceCall(program, layout, { q, k, v }).weights;
}

function kernelProbe(saved: SavedAttention<Float32Array>, request: ProbeRequest) {
  const { program, layout, q, k } = saved;
  const { T, S } = program.shapes;
  const { rows, topK, max, tiles, blockMax } = request;
  const plan: ProbePlan = {
    rows: rows ?? [],
    topCount: topK ?? (max ? 1 : 0),
    entropy: request.entropy === true,
    distance: request.distance === true,
    columnMass: request.columnMass === true,
    blockSide: blockMax ?? 0,
    tiles: tiles && { rows: cuts(T, Math.min(tiles[0], T)), columns: cuts(S, Math.min(tiles[1], S)) },
  };
  const engine = readyEngine(OP);
  const found = engine.probe(program, { q, k }, saved, plan, layout);
  const all = rowProbes(saved, request, found);
  if (plan.tiles) all.tiles = meansOf(plan.tiles, found.tiles);
  if (blockMax) {
    all.blockMax = { rows: blocksOf(T, blockMax), columns: blocksOf(S, blockMax), weights: found.blocks };
  }
  if (request.distance) all.distance = found.distance;
  if (request.columnMass) all.columnMass = Float32Array.from(found.columnMass);
  return all;
}

/** What of an answer is of each query by itself, from what kernels found of the rows asked for. */
export function rowProbes(
  saved: SavedAttention<Float32Array>,
  { rows, topK, max, entropy, sinkMass }: ProbeRequest,
  found: Pick<ProbeArrays, "rows" | "topWeights" | "topKeys" | "entropy">,
): Partial<Probes<Float32Array>> {
  const topCount = topK ?? (max ? 1 : 0);
  markUnknown(saved, topCount, found);
  const all: Partial<Probes<Float32Array>> = {};
  if (rows) all.rows = { index: [...rows], weights: found.rows };
  if (topK) all.topK = { indices: found.topKeys, weights: found.topWeights };
  if (max) {
    const first = <X extends Float32Array | Int32Array>(x: X) => x.filter((_, n) => n % topCount === 0) as X;
    all.max = { weight: first(found.topWeights), key: first(found.topKeys) };
  }
  if (entropy) all.entropy = found.entropy;
  if (sinkMass) all.sinkMass = sinkMassOf(saved);
  return all;
}

function meansOf({ rows, columns }: NonNullable<ProbePlan["tiles"]>, sums: Float64Array) {
  const [R, C] = [rows.length - 1, columns.length - 1];
  const means = Float32Array.from(sums, (sum, tile) => {
    const [r, c] = [Math.floor(tile / C) % R, tile % C];
    return sum / ((rows[r + 1]! - rows[r]!) * (columns[c + 1]! - columns[c]!));
  });
  return { rows: R, columns: C, means };
}

/** Visits the log-sum-exp of each row [B, H, T]; rows that packed sequences do not have see the sink alone. */
function eachLse(
  { program, layout, lse, lseLow }: SavedAttention,
  visit: (lse: number, sink: number, row: number) => void,
): void {
  const { shapes, queryLengths, keyLengths } = program;
  const { queries } = callLayout(layout, shapes, queryLengths, keyLengths);
  const { B, H, T } = shapes;
  for (let b = 0; b < B; b++) {
    const valid = queries.starts ? queryLengths![b]! : T;
    for (let h = 0; h < H; h++) {
      const sink = sinkOf(program, h);
      for (let i = 0; i < T; i++) {
        const row = queries.index(b, h, i);
        visit(i < valid ? lse[row]! + lseLow[row]! : sink, sink, (b * H + h) * T + i);
      }
    }
  }
}

/** The kernel ranks what it can compare; of a row with a visible NaN nothing is known. */
function markUnknown(
  saved: SavedAttention,
  count: number,
  { topKeys, topWeights }: { topKeys: Int32Array; topWeights: Float32Array },
): void {
  if (!count) return;
  eachLse(saved, (lse, _, row) => {
    if (!Number.isNaN(lse)) return;
    topKeys.fill(-1, row * count, (row + 1) * count);
    topWeights.fill(Number.NaN, row * count, (row + 1) * count);
  });
}

function sinkMassOf(saved: SavedAttention<Float32Array>): Float32Array {
  const { program, emptyRows } = saved;
  const { B, H, T, S } = program.shapes;
  const mass = new Float32Array(B * H * T);
  eachLse(saved, (lse, sink, row) => {
    mass[row] = sink === -Infinity ? 0 : Math.exp(sink - lse);
  });
  // Rows that weigh all keys alike leave the sink nothing, unless there are no keys.
  for (const { b, h, i } of emptyRows) if (program.keyLengths?.[b] ?? S) mass[(b * H + h) * T + i] = 0;
  return mass;
}

function checkRequest(
  op: string,
  { shapes: { T }, offset }: HostProgram,
  request: ProbeRequest,
  choices: readonly string[],
): void {
  const refuse = (name: string, rule: string, got: unknown) =>
    new OptionError("OPTION", outOfRange({ op, name, rule, got: described(got) }));
  for (const name of Object.keys(request)) {
    if (!choices.includes(name)) {
      throw new OptionError("OPTION", notAChoice({ op, name: "what is asked for", choices, got: name }));
    }
  }
  const { rows, tiles, topK, blockMax, distance } = request;
  const isArray = (x: unknown): boolean => Array.isArray(x) || ArrayBuffer.isView(x);
  if (rows !== undefined && !isArray(rows)) throw refuse("rows", "an array of queries", rows);
  for (const [n, i] of (rows ?? []).entries()) {
    if (!(Number.isSafeInteger(i) && i >= 0 && i < T)) {
      throw refuse(`rows[${n}]`, `a query, an integer from 0 and below T=${T}`, i);
    }
  }
  const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 1;
  if (topK !== undefined && !isCount(topK)) throw refuse("topK", "an integer ≥ 1", topK);
  if (blockMax !== undefined && !isCount(blockMax)) throw refuse("blockMax", "an integer ≥ 1", blockMax);
  if (tiles !== undefined && !isArray(tiles)) {
    throw refuse("tiles", "[rows, columns], two integers ≥ 1", tiles);
  }
  if (tiles && !(tiles.length === 2 && tiles.every(isCount))) {
    throw refuse("tiles", "[rows, columns], two integers ≥ 1", `[${tiles.join(", ")}]`);
  }
  const far = (typeof offset === "number" ? [offset] : Array.from(offset)).find(
    (n) => Math.abs(n) > FARTHEST,
  );
  if (distance && far !== undefined)
    throw refuse("queryOffset", "within ±2²⁴ where distance is asked for", far);
}
