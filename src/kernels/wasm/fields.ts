/** What every attention kernel is told of a program in the same words. */
import type { AttentionProgram } from "../../core/program.ts";
import { words } from "../../core/random.ts";

/** Where no band hides anything: beyond every length, and far from overflow when positions are added. */
const FAR = 2 ** 29;

/** A position as kernels take it. */
export function clampPosition(n: number): number {
  return Math.max(-FAR, Math.min(FAR, n));
}

/** Dropout's fields; a threshold of 0 drops nothing. */
export function dropoutFields({ dropout }: AttentionProgram) {
  const [seedLow, seedHigh] = words(dropout?.seed ?? 0);
  const threshold = Math.min(dropout?.threshold ?? 0, 2 ** 32 - 1);
  return { threshold, keepScale: dropout?.keepScale ?? 1, seedLow, seedHigh };
}
