import { readFileSync } from "node:fs";
import { DataError, FileError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-reason.ts";
import type { SentencePair } from "../../data/tsv.ts";
import { TARGET_LANGUAGES, type TargetLanguage } from "./text/language.ts";
import type { TranslateOptions, Translation } from "./translation.ts";

/** A sentence and what must come through in its translation. */
export interface SpanCase {
  source: string;
  /** Texts that the translation must hold, in no order. */
  spans: string[];
}

const OP = "readSpanCases";

/** The lines of a text file that say something: not empty, and no `#` before them. */
export function contentLines(op: string, path: string): { text: string; line: number }[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const fault = {
      op,
      rule: `${path} must be readable`,
      got: fileReason(cause),
      remedy: "check the name",
      path,
    };
    throw new FileError("UNREADABLE", fault, { cause });
  }
  return text
    .split("\n")
    .map((raw, at) => ({ text: raw.replace(/\r$/, ""), line: at + 1 }))
    .filter(({ text: line }) => line !== "" && !line.startsWith("#"));
}

/**
 * Reads sentences with what must come through, for one language: English, then a column each for French, German and Spanish,
 * with `|` between the texts of one.
 *
 * @throws FileError UNREADABLE · DataError FORMAT
 */
export function readSpanCases(path: string, to: TargetLanguage): SpanCase[] {
  return languageRows(OP, path, to).map(({ source, target }) => ({ source, spans: target.split("|") }));
}

/**
 * The rows of a file with a column for English and one for each target language, for one of them.
 *
 * @throws FileError UNREADABLE · DataError FORMAT
 */
export function languageRows(op: string, path: string, to: TargetLanguage): SentencePair[] {
  const column = 1 + TARGET_LANGUAGES.indexOf(to);
  return contentLines(op, path).map(({ text, line }) => {
    const columns = text.split("\t");
    if (columns.length === 1 + TARGET_LANGUAGES.length)
      return { source: columns[0]!, target: columns[column]! };
    const rule = `a row must have ${1 + TARGET_LANGUAGES.length} columns, English and one for each of ${TARGET_LANGUAGES.join(", ")}`;
    const got = `${columns.length} in ${path} at line ${line}`;
    throw new DataError("FORMAT", { op, rule, got, remedy: "correct or remove that line", path, line });
  });
}

export interface SpanResult {
  /** Texts that had to come through, and those that did. */
  spans: number;
  through: number;
  /** Translations that lack some, with what they lack. */
  failures: { source: string; target: string; missing: string[] }[];
}

/** How many of the texts that must come through do; each counts as often as it is asked for. */
export function evaluateSpans(
  translator: { translate(lines: readonly string[], options?: TranslateOptions): Translation[] },
  cases: readonly SpanCase[],
  options: TranslateOptions = {},
): SpanResult {
  const found = translator.translate(
    cases.map(({ source }) => source),
    { ...options, weights: false },
  );
  const failures = cases.flatMap(({ source, spans }, i) => {
    const { target } = found[i]!;
    const missing = missingFrom(target, spans);
    return missing.length > 0 ? [{ source, target, missing }] : [];
  });
  const spans = cases.reduce((sum, one) => sum + one.spans.length, 0);
  const lost = failures.reduce((sum, { missing }) => sum + missing.length, 0);
  return { spans, through: spans - lost, failures };
}

/** The spans that a text does not hold apart from the others; the longest are looked for first. */
function missingFrom(target: string, spans: readonly string[]): string[] {
  let rest = spaced(target);
  const missing: string[] = [];
  for (const span of [...spans].sort((a, b) => b.length - a.length)) {
    const found = standsAlone(spaced(span)).exec(rest);
    if (!found) missing.push(span);
    else rest = `${rest.slice(0, found.index)}\u0000${rest.slice(found.index + found[0].length)}`;
  }
  return missing;
}

/** A span that is no part of a longer number or word: "14" is not in "140", "Tom" is in "Toms". */
export function standsAlone(span: string): RegExp {
  const literal = span.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  const before = /^[\p{L}\p{N}]/u.test(span) ? "(?<![\\p{L}\\p{N}]|\\p{N}[.,])" : "";
  const after = /\p{N}$/u.test(span)
    ? "(?!\\p{N}|[.,]\\p{N})"
    : /\p{L}$/u.test(span)
      ? "(?!(?!s(?!\\p{L}))\\p{L})"
      : "";
  return new RegExp(`${before}${literal}${after}`, "u");
}

/** No-break spaces are spaces. */
export const spaced = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");
