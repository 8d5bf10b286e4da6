/**
 * Cuts a line into sentences and the separators between them, so that each is translated by itself and the line is put
 * together again with its own spaces.
 *
 *     "Hi!  Mr. Lee paid $3.50. \"Why?\" he asked."
 *     → ["Hi!", "Mr. Lee paid $3.50.", "\"Why?\" he asked."], separators ["", "  ", " ", ""]
 *
 * A sentence ends at a run of `.`, `!`, `?` or `…` with the quotes and brackets that close after it, if white space or the
 * end follows, or a capital without a space ("Thanks.See you."). It does not end
 * - after an abbreviation (Mr., e.g., a.m., U.S., initials) that something can follow;
 * - before a comma, or a small letter that goes on after speech ("Why?" he asked) or "...";
 * - inside a number, an address or a file's name.
 *
 * `Intl.Segmenter` is no base for this: it cuts after "Dr." and "St." and before "he asked", and leaves "Thanks.See you."
 * whole (Node 20). Linear in the length of the line.
 */

/** Nothing but a name or a number follows these: they never end a sentence. */
const TITLES = new Set(
  "mr mrs ms mx dr prof rev hon st ste mt ft gen col maj capt cmdr lt sgt cpl gov sen rep pres vs fig figs vol vols pp cf e.g i.e viz approx".split(
    " ",
  ),
);

/** These may end a sentence: they do where a capital follows that begins one. */
const ABBREVIATIONS = new Set(
  "jr sr inc ltd corp etc a.m p.m u.s u.k u.n e.u d.c ph.d m.d b.a m.a ave blvd rd apt dept hr hrs jan feb apr aug sep sept oct nov dec tue tues thu thur thurs fri lb lbs km kg cm".split(
    " ",
  ),
);

/** Words that begin a sentence after an abbreviation; another capital there may be a name ("the U.S. Congress"). */
const OPENERS =
  /^(?:I|I'(?:m|ll|ve|d)|We|You|He|She|It|They|The|A|An|This|That|These|Those|There|What|Where|When|Why|Who|How|Is|Are|Was|Were|Do|Does|Did|Can|Could|Will|Would|Shall|Should|May|Please|And|But|So|Then|If|My|Your|His|Her|Our|Their|In|On|At|After|Before|Let|Let's|No|Yes|Not|Now|Thank|Thanks|Don't|It's|That's|He's|She's|They're|We're|You're)(?![\p{L}\p{N}'])/u;

const END = /[.!?\u2026]+["')\]\u201d\u2019\u00bb*]*/gu;
const CLOSERS = /["')\]\u201d\u2019\u00bb]/;
/** No abbreviation is longer; a word of 200,000 letters is looked at no further back. */
const LONGEST_ABBREVIATION = 12;

export interface Sentences {
  readonly sentences: string[];
  /** One more than sentences: what stands before the first, between two, and after the last. */
  readonly separators: string[];
}

/** The word that ends at `end`, without the dot; "" when it is too long to be an abbreviation. */
function wordBefore(text: string, end: number): string {
  const from = Math.max(0, end - LONGEST_ABBREVIATION - 1);
  const word = /[\p{L}.]*$/u.exec(text.slice(from, end))![0];
  return word.length > LONGEST_ABBREVIATION ? "" : word;
}

/** Whether the run of marks `run` at `start` ends a sentence; `end` is the place after it. */
function endsHere(text: string, start: number, run: string): boolean {
  const end = start + run.length;
  if (end === text.length) return true;
  const ahead = text.slice(end, end + 40);
  const next = ahead.trimStart();
  if (next === "") return true;
  const spaced = next.length < ahead.length;
  const marks = /^[.!?\u2026]+/.exec(run)![0];
  const word = wordBefore(text, start);
  if (!spaced) {
    // "Thanks.See you." but neither "example.Com" in an address nor "U.S.A".
    if (!/^\p{Lu}\p{Ll}|^I[ ']/u.test(next) || marks.length !== run.length) return false;
    if (marks !== ".") return true;
    return /^\p{L}?\p{Ll}{2,}$/u.test(word) && !/[/@\\]/.test(text.slice(Math.max(0, start - 40), end));
  }
  if (/^[,;:)\]]/.test(next)) return false;
  const small = /^\p{Ll}/u.test(next);
  if (small && (CLOSERS.test(run) || /^(?:\.\.|\u2026)/.test(marks))) return false;
  if (marks !== "." || CLOSERS.test(run)) return true;
  const lower = word.toLowerCase();
  if (TITLES.has(lower)) return false;
  if (lower === "no" || lower === "nos") return !/^\d/.test(next);
  if (
    lower !== "i" &&
    (/^\p{L}$/u.test(word) || ABBREVIATIONS.has(lower) || /^(?:\p{L}\.)+\p{L}$/u.test(word))
  )
    return OPENERS.test(next);
  return true;
}

/**
 * @example
 * splitSentences("Hi! How are you?").sentences; // ["Hi!", "How are you?"]
 */
export function splitSentences(line: string): Sentences {
  const sentences: string[] = [];
  const separators: string[] = [];
  let from = 0;
  const push = (end: number) => {
    const part = line.slice(from, end);
    const body = part.trim();
    if (body === "") return;
    const lead = part.length - part.trimStart().length;
    separators.push(trailing + part.slice(0, lead));
    sentences.push(body);
    trailing = part.slice(lead + body.length);
    from = end;
  };
  let trailing = "";
  for (const match of line.matchAll(END)) {
    if (match.index >= from && endsHere(line, match.index, match[0])) push(match.index + match[0].length);
  }
  push(line.length);
  separators.push(trailing + line.slice(from));
  return { sentences, separators };
}

/** Puts sentences, or their translations, together with the separators of the line they came from. */
export function joinSentences(sentences: readonly string[], separators: readonly string[]): string {
  return separators.map((separator, i) => separator + (sentences[i] ?? "")).join("");
}
