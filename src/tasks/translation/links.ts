import { DataError } from "../../core/errors.ts";
import { contentLines, spaced, standsAlone } from "./spans.ts";
import { TARGET_LANGUAGES, type TargetLanguage } from "./text/language.ts";
import type { TranslateOptions, Translation } from "./translation.ts";

/** A value of a sentence and what stands for it in a translation. */
export interface Link {
  /** Where it stands in the sentence, in characters. */
  source: readonly [start: number, end: number];
  target: string;
}

/** A sentence whose values are linked to those of its translation by hand. */
export interface LinkCase {
  source: string;
  links: Link[];
}

const OP = "readLinkCases";
const LINK = /^(\d+)-(\d+)=([^|]+)\|([^|]+)\|([^|]+)$/;

/**
 * Reads sentences with links, for one language: English, then a column for each value, `start-end=` and what stands for it in
 * French, German and Spanish with `|` between.
 *
 * @throws FileError UNREADABLE · DataError FORMAT
 */
export function readLinkCases(path: string, to: TargetLanguage): LinkCase[] {
  return contentLines(OP, path).map(({ text, line }) => {
    const [source, ...columns] = text.split("\t");
    const links = columns.map((column): Link => {
      const [, start, end, ...targets] = LINK.exec(column) ?? [];
      const range = [Number(start), Number(end)] as const;
      if (!(range[0] < range[1] && range[1] <= source!.length)) {
        const rule = "a link must be start-end=French|German|Spanish, with a range of the sentence";
        const got = `${JSON.stringify(column)} in ${path} at line ${line}`;
        throw new DataError("FORMAT", { op: OP, rule, got, remedy: "correct or remove it", path, line });
      }
      return { source: range, target: targets[TARGET_LANGUAGES.indexOf(to)]! };
    });
    return { source: source!, links };
  });
}

export interface LinkResult {
  links: number;
  /** Links whose word in the translation looks most at the value that it stands for. */
  right: number;
  /** What a wrong one looks at instead; null where the translation does not have it. */
  failures: { source: string; target: string; value: string; looked: string | null }[];
}

/** How many values of translations look most at what they stand for. */
export function evaluateLinks(
  translator: { translate(lines: readonly string[], options?: TranslateOptions): Translation[] },
  cases: readonly LinkCase[],
  options: TranslateOptions = {},
): LinkResult {
  const found = translator.translate(
    cases.map(({ source }) => source),
    options,
  );
  const failures = cases.flatMap(({ source, links }, i) => {
    const { target, sourceTokens, targetTokens, weights } = found[i]!;
    const sourcePlaces = placesOf(sourceTokens, source);
    const targetPlaces = placesOf(targetTokens, target);
    const taken = new Set<number>();
    return links.flatMap((link): LinkResult["failures"] => {
      // A value is a token where the translator made it one; values of one text come in the order of their links.
      const whole = targetTokens.findIndex((token, t) => token === link.target && !taken.has(t));
      taken.add(whole);
      const start = spaced(target).search(standsAlone(spaced(link.target)));
      const place = whole >= 0 ? targetPlaces[whole]! : ([start, start + link.target.length] as const);
      if (place[0] < 0) return [{ source, target, value: link.target, looked: null }];
      const rows = weights.filter((_, t) => overlaps(targetPlaces[t]!, place));
      const sums = sourceTokens.map((_, s) => rows.reduce((sum, row) => sum + row[s]!, 0));
      const most = sums.indexOf(Math.max(...sums));
      if (most >= 0 && overlaps(sourcePlaces[most]!, link.source)) return [];
      return [{ source, target, value: link.target, looked: sourceTokens[most] ?? null }];
    });
  });
  const links = cases.reduce((sum, one) => sum + one.links.length, 0);
  return { links, right: links - failures.length, failures };
}

type Place = readonly [start: number, end: number];

const overlaps = (a: Place, b: Place) => a[0] < b[1] && b[0] < a[1];

/** Where each token stands in its text; one that was changed on the way stands nowhere. */
function placesOf(tokens: readonly string[], text: string): Place[] {
  let from = 0;
  return tokens.map((token): Place => {
    const start = text.indexOf(token, from);
    if (start < 0) return [from, from];
    from = start + token.length;
    return [start, from];
  });
}
