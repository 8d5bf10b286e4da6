/**
 * Rotary positions turn pairs of channels. Published models have the pairs as halves of a head, channel i with channel
 * i + D/2; GGUF has them side by side, 2i with 2i + 1, and its rows of queries and keys in that order.
 */
import type { FullConfig } from "../transformer/config.ts";

const TURNED = /\/self\/(?:query|key)\/(?:weight|bias)$/;

/** Whether the rows of a parameter stand in another order in a published checkpoint than in this model. */
export function isReordered({ positions }: FullConfig, parameter: string): boolean {
  return positions.kind === "rope" && positions.pairs === "interleaved" && TURNED.test(parameter);
}

/**
 * Rows [heads · D, …] of pairs side by side as rows of pairs in halves, or `back` again.
 *
 * @param rows heads · D
 */
export function halvesOf(values: Float32Array, rows: number, D: number, back = false): Float32Array {
  const size = values.length / rows;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const [head, at] = [Math.floor(row / D) * D, row % D];
    const beside = head + (at < D / 2 ? 2 * at : 2 * (at - D / 2) + 1);
    const [from, to] = back ? [row, beside] : [beside, row];
    out.set(values.subarray(from * size, (from + 1) * size), to * size);
  }
  return out;
}
