import { OptionError } from "./errors.ts";
import { noCausalCorner, noWindowCorner } from "./faults.ts";
import type { ProgramOptions } from "./program.ts";

/**
 * Whether causality and a window know which query and key of each packed sequence stand together.
 *
 * @throws OptionError CONFLICT
 */
export function checkCorners(
  op: string,
  { causal, window, queryOffset }: Pick<ProgramOptions, "causal" | "window" | "queryOffset">,
  queries: readonly number[],
  keys: readonly number[],
): void {
  const b = queries.findIndex((n, at) => n !== keys[at]);
  if (b < 0 || queryOffset !== undefined || typeof causal === "string") return;
  const [T, S] = [queries[b]!, keys[b]!];
  if (causal) throw new OptionError("CONFLICT", noCausalCorner({ op, T, S }));
  const { left = Infinity, right = Infinity } = window ?? {};
  if (left !== Infinity || right !== Infinity)
    throw new OptionError("CONFLICT", noWindowCorner({ op, T, S }));
}
