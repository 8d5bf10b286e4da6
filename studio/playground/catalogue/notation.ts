/** The formulas of docstrings, `out_t = Σ_s α_ts v_s`, in the notation of math/parse.ts. */

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  ᵀ: "⊤",
  "⁺": "+",
  "⁻": "−",
  "⁰": "0",
  "¹": "1",
  "²": "2",
  "³": "3",
  "†": "†",
};
const ACCENTS: Readonly<Record<string, string>> = { "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar" };
/** Words that stand alone between signs. */
const ALONE =
  "and|as|by|for|forward|from|global|height|hard|if|is|local|of|or|otherwise|over|summary|strided|that|to|where|width|with";
/** What can follow a space and is no word: functions, which a bracket or an index follows, or a name of the formula. */
const FUNCTIONS =
  /^(softmax|sigmoid|relu|norm|tanh|exp|ln|log|cos|sin|mean|max|min|argmax|argmin|mod|base|scale|conv|clip)$/;

/** Where the bracket that is open at `at` is closed; −1 where it is not. */
function closing(text: string, at: number): number {
  const [open, close] = text[at] === "(" ? ["(", ")"] : ["{", "}"];
  let depth = 0;
  for (let n = at; n < text.length; n++) {
    if (text[n] === open) depth++;
    if (text[n] === close && --depth === 0) return n;
  }
  return -1;
}

/** Runs of two words and more, and words that are always ones, in quotes. */
function quoteWords(text: string): string {
  const run = /(?<![\p{L}\p{N}_^{′"\\])[a-z]+(?: [a-z]+)+(?![\p{L}\p{N}(_^[′·])/gu;
  const isProse = (words: string[]) =>
    words.some((word) => word.length > 1 && !FUNCTIONS.test(word)) && words.some((word) => word.length > 2);
  return text
    .replace(run, (found) => (isProse(found.split(" ")) ? `"${found}"` : found))
    .replace(
      new RegExp(`(?<![\\p{L}_"^{] ?)(?<!"[^"]*)\\b(${ALONE})\\b:?(?![\\p{L}(_])(?! [a-z]+")`, "gu"),
      (word, _, at: number, all: string) => (isInQuotes(all, at) ? word : `"${word}"`),
    );
}

const isInQuotes = (text: string, at: number) => (text.slice(0, at).split('"').length - 1) % 2 === 1;

/** `_ts` as `_{ts}`, `_(t−1)` as `_{t−1}`, and what stands in braces after a script as it is. */
function group(text: string): string {
  let made = "";
  for (let n = 0; n < text.length; n++) {
    const sign = text[n]!;
    if (sign === '"') {
      const end = text.indexOf('"', n + 1);
      made += text.slice(n, end + 1);
      n = end;
    } else if (sign === "_" || sign === "^") {
      const next = text[n + 1] ?? "";
      const end = next === "(" || next === "{" ? closing(text, n + 1) : -1;
      if (end > 0) {
        made += `${sign}{${group(text.slice(n + 2, end))}}`;
        n = end;
      } else {
        const [found] = /^[\p{L}\p{N}′]+(,[\p{L}]+(?=[ ,·)]|$))?|^./u.exec(text.slice(n + 1)) ?? [""];
        made += `${sign}{${found}}`;
        n += found!.length;
      }
    } else if (sign === "{" || sign === "}") made += `\\${sign}`;
    else if (sign === "√") {
      const end = text[n + 1] === "(" ? closing(text, n + 1) : -1;
      const inner = end > 0 ? text.slice(n + 2, end) : /^[\p{L}\p{N}]+/u.exec(text.slice(n + 1))![0];
      made += `\\sqrt{${group(inner)}}`;
      n += inner.length + (end > 0 ? 2 : 0);
    } else made += sign;
  }
  return made;
}

/** A line of a docstring's formula. */
export function notationOf(line: string): string {
  const marked = line
    .normalize("NFD")
    .replace(
      /(\p{L})([\u0302-\u0304])/gu,
      (_, letter: string, mark: string) => `\uE001${ACCENTS[mark]}\uE002${letter}\uE003`,
    )
    .normalize("NFC")
    .replace(/[₀-₉]+/g, (digits) => `_(${[...digits].map((d) => d.codePointAt(0)! - 0x2080).join("")})`)
    .replace(/[ᵀ⁺⁻⁰¹²³†]+/g, (signs) => `^(${[...signs].map((sign) => SUPERSCRIPTS[sign]).join("")})`)
    .replace(/'/g, "′")
    .replaceAll("~", "∼")
    .replace(/\bnone\b|`[^`]*`/g, (word) => `"${word.replaceAll("`", "")}"`)
    .replace(/\b(one-hot)\b/g, '"$1"')
    .replace(
      /\b([WPbwvR])([qkvorlw])(_(\p{L}+))?\b(?!\()/gu,
      (_, name: string, of: string, __, sub?: string) => (sub ? `${name}_(${of},${sub})` : `${name}_${of}`),
    )
    .replaceAll("Σ", "∑")
    .replaceAll("Π", "∏");
  return group(quoteWords(marked))
    .replace(/ {2,}/g, "~ ")
    .replace(/\uE001(\w+)\uE002/g, "\\$1{")
    .replaceAll("\uE003", "}");
}

/** All lines of a formula that say something; what a comma and a gap divide stands on lines of its own. */
export const formulaOf = (text: string): string =>
  text
    .split(/\n|[,;] {3,}/)
    .filter((line) => line.trim() !== "")
    .map((line) => notationOf(line.trim()))
    .join("\n");
