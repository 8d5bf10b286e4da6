import type { TraceLayer } from "../trace/trace.ts";
import { dot } from "./qk.ts";

/** What becomes of q·k on its way to a weight, step by step; a step that the layer does not take is undefined. */
export interface ScoreSteps {
  /** q·k */
  readonly raw: number;
  /** scale · q·k; the scale is 1/√D unless the layer says otherwise. */
  readonly scaled: number;
  readonly scale: number;
  /** softCap · tanh(scaled / softCap) */
  readonly capped: number | undefined;
  /** With the bias of its place added. */
  readonly biased: number | undefined;
}

/**
 * The score of one key for one query, from the layer's q and k; undefined where it has weights alone.
 *
 *     raw = q·k,    scaled = raw · scale,    capped = softCap · tanh(scaled / softCap),    biased = … + bias
 *
 * Whether the mask hides the key is not asked. Sums run in float64. Cost: O(D). Pure.
 *
 * @example
 * const [q, k, lse] = [traceTensor([1, 1, 4], [1, 1, 0, 0]), traceTensor([1, 1, 4], [2, 4, 0, 0]), traceTensor([1, 1], [3])];
 * const trace = createTrace({ tokens: { a: ["x"] }, layers: [{ alignQ: "a", alignK: "a", q, k, lse }] });
 * scoreSteps(trace.layers[0], 0, 0, 0).scaled; // 3
 */
export function scoreSteps(
  layer: TraceLayer,
  head: number,
  query: number,
  key: number,
): ScoreSteps | undefined {
  const { H, Hkv, T, S, D, q, k, bias, softCap } = layer;
  if (!q || !k || D === undefined) return undefined;
  const { scale = 1 / Math.sqrt(D) } = layer;
  const at = (head * T + query) * D;
  const from = (Math.floor((head * Hkv) / H) * S + key) * D;
  const raw = dot(new Float64Array(q.slice(at, at + D)), k.slice(from, from + D), 0);
  const scaled = raw * scale;
  const capped = softCap === undefined ? undefined : softCap * Math.tanh(scaled / softCap);
  const [heads = 1, queries = 1] = bias?.shape ?? [];
  const row = (heads === 1 ? 0 : head) * queries + (queries === 1 ? 0 : query);
  const biased = bias && (capped ?? scaled) + bias.at(row * S + key);
  return { raw, scaled, scale, capped, biased };
}
