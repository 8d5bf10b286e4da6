import { DataError } from "../../core/errors.ts";

/** What Python's `str.split()` takes for white space: unlike `\s`, with U+001C–1F and U+0085, without U+FEFF. */
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SPACES = new RegExp(`[${SPACE}]+`);
const TRAILING_SPACES = new RegExp(`[${SPACE}]+$`);

/** Python's `text.split()`. */
export const splitSpaces = (text: string): string[] => text.split(SPACES).filter((word) => word !== "");
/** Python's `text.rstrip()`. */
export const trimEnd = (text: string): string => text.replace(TRAILING_SPACES, "");

/** @throws DataError `METRIC_SEGMENTS` unless each hypothesis has its references, one at least */
export function requireSegments(
  op: string,
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
): void {
  const fail = (rule: string, got: string): never => {
    throw new DataError("METRIC_SEGMENTS", { op, rule, got });
  };
  if (hypotheses.length === 0) fail("a corpus must have at least one segment", "none");
  if (hypotheses.length !== references.length)
    fail(`${hypotheses.length} hypotheses need as many lists of references`, `${references.length}`);
  const bare = references.findIndex((refs) => refs.length === 0);
  if (bare >= 0) fail("each segment must have at least one reference", `none for segment ${bare}`);
}

/** `nrefs` of a sacreBLEU signature: how many references each segment has, or `var`. */
export function referenceCount(references: readonly (readonly string[])[]): string {
  const counts = new Set(references.map((refs) => refs.length));
  return counts.size === 1 ? String([...counts][0]) : "var";
}
