import { DataError } from "../../core/errors.ts";

/** What Python's `str.split()` takes for white space: unlike `\s`, with U+001C–1F and U+0085, without U+FEFF. */
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SPACES = new RegExp(`[${SPACE}]+`);
const TRAILING_SPACES = new RegExp(`[${SPACE}]+$`);

/** Python's `text.split()`. */
export const splitSpaces = (text: string): string[] => text.split(SPACES).filter((word) => word !== "");
/** Python's `text.rstrip()`. */
export const trimEnd = (text: string): string => text.replace(TRAILING_SPACES, "");

/**
 * JavaScript takes a string for a list of its characters, and each would be scored as a reference.
 *
 * @throws DataError SHAPE unless each hypothesis is text and has its list of references, one at least
 */
export function requireSegments(
  op: string,
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
): void {
  const remedy = "pass one list of references for each hypothesis";
  const fault = (rule: string, got: string) => new DataError("SHAPE", { op, rule, got, remedy });
  const fail = (rule: string, got: string): never => {
    throw fault(rule, got);
  };
  if (!Array.isArray(hypotheses)) fail("hypotheses must be a list of texts", kindOf(hypotheses));
  if (!Array.isArray(references)) fail("references must be a list of lists of texts", kindOf(references));
  if (hypotheses.length === 0) fail("a corpus must have at least one segment", "none");
  if (hypotheses.length !== references.length)
    fail(`${hypotheses.length} hypotheses need as many lists of references`, `${references.length}`);
  for (const [i, hypothesis] of hypotheses.entries()) {
    if (typeof hypothesis !== "string") fail(`hypothesis ${i} must be text`, kindOf(hypothesis));
    const ofOne: unknown = references[i];
    if (!Array.isArray(ofOne)) throw fault(`the references of segment ${i} must be a list`, kindOf(ofOne));
    if (ofOne.length === 0) fail("each segment must have at least one reference", `none for segment ${i}`);
    const odd = ofOne.findIndex((reference) => typeof reference !== "string");
    if (odd >= 0) fail(`reference ${odd} of segment ${i} must be text`, kindOf(ofOne[odd]));
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value === null || value === undefined) return "nothing";
  return typeof value === "string" ? "a string" : `a ${typeof value}`;
}

/** `nrefs` of a sacreBLEU signature: how many references each segment has, or `var`. */
export function referenceCount(references: readonly (readonly string[])[]): string {
  const counts = new Set(references.map((refs) => refs.length));
  return counts.size === 1 ? String([...counts][0]) : "var";
}
