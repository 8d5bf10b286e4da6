import { type Cells, NOT_FINITE, VALUE } from "../cells.ts";
import { layerMap } from "../map/layer.ts";
import { qkMap } from "../map/qk.ts";
import { fault } from "./fault.ts";
import type { TraceTensor } from "./tensor.ts";
import type { RowSums, Trace, TraceLayer } from "./trace.ts";

/** Numbers looked at in one piece. */
const PIECE = 1 << 16;
/** Rows of a layer that are recomputed from q, k and lse to see that they fit together. */
const SAMPLES = 16;

const OTHERWISE = 'say rowSums: "atMostOne", "dropped" or "free"';
const AFTER_SOFTMAX = `write the weights after the softmax, or ${OTHERWISE}`;
const FIT_TOGETHER = `correct scale, softCap, bias or mask so that the lse is theirs, or ${OTHERWISE}`;

/**
 * Checks the values of a trace: nothing NaN, no weight for a hidden key, every row what `rowSums` says. Rows that are
 * recomputed from q, k and lse are checked for 16 queries a layer, evenly spread.
 *
 * Tolerances of a row's sum: 0.001, as in the pictures, plus what storing costs. A half is within 2⁻¹¹ of itself and
 * 2⁻²⁵; a byte of `u8log` within 2.8 % and 1e−6; scores of halves within |score| · 2⁻⁹ or so, which gives 0.05.
 *
 * @throws DataError FORMAT for the first fault
 */
export function checkValues(op: string, trace: Trace, firstRows?: readonly number[]): void {
  for (const [l, layer] of trace.layers.entries()) checkLayer(op, layer, firstRows?.[l] ?? 0);
  for (const [t, glimpse] of trace.glimpses.entries()) checkFinite(op, `glimpse.${t}`, glimpse);
  for (const [name, gate] of Object.entries(trace.gates)) checkFinite(op, `gate.${name.slice(0, 60)}`, gate);
}

function checkLayer(op: string, layer: TraceLayer, firstRow: number): void {
  const { index, attn, q, k, lse, bias, vnorm, grad, scores } = layer;
  const named = { q, k, vnorm, grad };
  for (const [name, tensor] of Object.entries(named)) if (tensor) checkFinite(op, `${name}.${index}`, tensor);
  if (lse) checkFinite(op, `lse.${index}`, lse, -Infinity);
  if (bias) checkFinite(op, `bias.${index}`, bias, -Infinity);
  for (const [stage, tensor] of Object.entries(scores))
    checkFinite(op, `scores.${index}.${stage}`, tensor, -Infinity);
  if (attn) checkRows(op, layer, attn, firstRow);
  if (q && k && lse) checkRecomputed(op, layer, firstRow);
}

/** Nothing NaN or infinite, but for one infinity where it has a meaning. */
function checkFinite(op: string, place: string, tensor: TraceTensor, except = 0): void {
  if (tensor.encoding === "u8log" || tensor.encoding === "bool") return;
  for (let begin = 0; begin < tensor.length; begin += PIECE) {
    const piece = tensor.slice(begin, Math.min(begin + PIECE, tensor.length));
    for (let e = 0; e < piece.length; e++) {
      // x − x is 0 for finite numbers alone.
      if (piece[e]! - piece[e]! === 0 || piece[e] === except) continue;
      const rule = except === 0 ? "hold finite numbers" : "hold finite numbers or −∞";
      const got = `${piece[e]} at [${indices(begin + e, tensor.shape)}]`;
      fault(op, place, rule, got, "look for an overflow or a missing mask where it was made");
    }
  }
}

function indices(element: number, shape: readonly number[]): string {
  let rest = element;
  const places: number[] = [];
  for (const n of [...shape].reverse()) {
    places.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return places.join(", ");
}

function checkRows(op: string, layer: TraceLayer, attn: TraceTensor, firstRow: number): void {
  const { H, T, S, index } = layer;
  const map = layerMap(layer, "attn");
  const tolerance = { f16: 1e-3 + S * 2 ** -25, u8log: 0.029 + S * 1e-6, f32: 1e-3, f64: 1e-3, bool: 0 };
  for (let h = 0; h < H; h++)
    for (let t = firstRow; t < T; t++) {
      const place = `attn.${index}, head ${h}, query ${t},`;
      const row = map.row(h, t);
      const hidden = attn.slice((h * T + t) * S, (h * T + t + 1) * S);
      for (let s = 0; s < S; s++) {
        if (row.kinds[s] === VALUE || hidden[s] === 0) continue;
        if (row.kinds[s] === NOT_FINITE) notFinite(op, place, hidden[s]!, s);
        const remedy = "mask before the softmax, or correct the mask of this layer";
        fault(op, place, "have weight 0 for hidden keys", `${hidden[s]} for key ${s}`, remedy);
      }
      checkRow(op, place, layer.rowSums, row, tolerance[attn.encoding], AFTER_SOFTMAX);
    }
}

function notFinite(op: string, place: string, got: number, s: number): never {
  const remedy = "look for an overflow or an empty row where it was made";
  fault(op, place, "have finite weights", `${got} for key ${s}`, remedy);
}

function checkRow(
  op: string,
  place: string,
  rowSums: RowSums,
  row: Cells,
  tolerance: number,
  remedy: string,
): void {
  let sum = 0;
  for (let s = 0; s < row.columns; s++) {
    const w = row.values[s]!;
    if (row.kinds[s] === NOT_FINITE) notFinite(op, place, Number.NaN, s);
    if (w < 0 && rowSums !== "free") {
      fault(op, place, "have no negative weight", `${w} for key ${s}`, remedy);
    }
    sum += w;
  }
  const got = `${Number(sum.toPrecision(6))}`;
  if (rowSums === "one" && sum !== 0 && Math.abs(sum - 1) > tolerance) {
    fault(op, place, `have weights that sum to 1 within ${Number(tolerance.toPrecision(2))}`, got, remedy);
  }
  if (rowSums === "atMostOne" && sum > 1 + tolerance)
    fault(op, place, "have weights that sum to at most 1", got, remedy);
}

function checkRecomputed(op: string, layer: TraceLayer, firstRow: number): void {
  // Weights after dropout, or of another kind than softmax, are not those of q, k and lse.
  if (layer.rowSums === "dropped" || layer.rowSums === "free") return;
  const { H, T, index } = layer;
  const map = qkMap(layer);
  const rows = H * (T - firstRow);
  const exact = layer.q!.encoding !== "f16" && layer.k!.encoding !== "f16" && layer.lse!.encoding !== "f16";
  const samples = Math.min(SAMPLES, rows);
  for (let n = 0; n < samples; n++) {
    // From the last row backwards: a wrong offset shows where most keys are visible.
    const e = rows - 1 - Math.floor((n * rows) / samples);
    const [h, t] = [Math.floor(e / (T - firstRow)), firstRow + (e % (T - firstRow))];
    const place = `the weights from q.${index}, k.${index} and lse.${index}, head ${h}, query ${t},`;
    const row = map.row(h, t);
    const lowest = layer.lse!.at(h * T + t);
    if (lowest === -Infinity && row.kinds.includes(VALUE)) {
      const remedy = "write the lse of scaled scores after the bias, or correct scale and mask";
      fault(op, place, "have a finite lse where a key is visible", "−∞", remedy);
    }
    checkRow(op, place, layer.rowSums, row, exact ? 1e-3 : 0.05, FIT_TOGETHER);
  }
}
