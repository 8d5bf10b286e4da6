/**
 * A line of mathematics as it is written by hand, which also reads well where no script runs:
 *
 *     α_{ts} = softmax_s([tau:e_{ts}/τ])
 *
 * One letter is a variable, two are two, and more are a name (`softmax`); `_` and `^` set what follows below and above; `{…}` keeps
 * together; `[key:…]` is a term that a page can light up; `\frac{a}{b}`, `\sqrt{a}` and the accents `\hat`, `\bar`, `\tilde`
 * and `\vec` stand as in TeX, `\{` and `\}` are braces to be seen; "words" in quotes are text; two capitals before a bracket are a name. Under ∑, ∏, max, min and argmax `_` sets limits.
 */
export type MathNode =
  | { readonly kind: "variable" | "number" | "operator" | "text"; readonly text: string }
  | { readonly kind: "row"; readonly parts: readonly MathNode[] }
  | { readonly kind: "term"; readonly key: string; readonly parts: readonly MathNode[] }
  | { readonly kind: "fraction"; readonly above: MathNode; readonly below: MathNode }
  | { readonly kind: "root"; readonly of: MathNode }
  | { readonly kind: "accent"; readonly mark: string; readonly of: MathNode }
  | {
      readonly kind: "scripts";
      readonly base: MathNode;
      readonly sub: MathNode | undefined;
      readonly sup: MathNode | undefined;
      readonly limits: boolean;
    };

const ACCENTS: Readonly<Record<string, string>> = { hat: "^", bar: "¯", tilde: "~", vec: "→" };
const LIMITS = ["∑", "∏", "max", "min", "argmax", "argmin", "lim"];
const TOKEN =
  /\s*(\\[a-z]+|\\[{}]|[A-Z]{2}(?=\()|"[^"]*"|\d+(?:\.\d+)?|ln|[A-Za-z]{3,}|\[[a-z0-9-]+:|[\s\S])/uy;

/**
 * @throws SyntaxError where a bracket is left open or a command is unknown
 * @example
 * parseMath("a_1").kind; // "row"
 */
export function parseMath(source: string): MathNode {
  const parser = new Parser(source);
  const parts = parser.until(undefined);
  return { kind: "row", parts };
}

class Parser {
  readonly #source: string;
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    const text = source.trim();
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) this.#tokens.push(match[1]!);
  }

  /** Atoms with their scripts up to a closing token, which is taken; to the end where there is none. */
  until(close: string | undefined): MathNode[] {
    const parts: MathNode[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined) {
        if (close !== undefined) this.#fail(`"${close}" is missing`);
        return parts;
      }
      if (token === close) {
        this.#at++;
        return parts;
      }
      parts.push(this.#scripted());
    }
  }

  #scripted(): MathNode {
    const base = this.#atom();
    let [sub, sup]: (MathNode | undefined)[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token !== "_" && token !== "^") break;
      this.#at++;
      if (token === "_") sub = this.#atom();
      else sup = this.#atom();
    }
    if (!sub && !sup) return base;
    const limits = "text" in base && LIMITS.includes(base.text);
    return { kind: "scripts", base, sub, sup, limits };
  }

  #atom(): MathNode {
    const token = this.#tokens[this.#at++];
    if (token === undefined) this.#fail("something is missing at the end");
    if (token === "{") return this.#row("}");
    if (token.startsWith("[") && token.length > 1)
      return { kind: "term", key: token.slice(1, -1), parts: this.until("]") };
    if (token.startsWith("\\")) return this.#command(token.slice(1));
    if (token.startsWith('"') && token.length > 1) return { kind: "text", text: token.slice(1, -1) };
    if (/^\d/.test(token)) return { kind: "number", text: token };
    if (/^\p{L}/u.test(token)) return { kind: "variable", text: token };
    return { kind: "operator", text: token };
  }

  #row(close: string): MathNode {
    const parts = this.until(close);
    return parts.length === 1 ? parts[0]! : { kind: "row", parts };
  }

  #command(name: string): MathNode {
    if (name === "{" || name === "}") return { kind: "operator", text: name };
    if (name === "frac") return { kind: "fraction", above: this.#atom(), below: this.#atom() };
    if (name === "sqrt") return { kind: "root", of: this.#atom() };
    const mark = ACCENTS[name];
    if (mark) return { kind: "accent", mark, of: this.#atom() };
    return this.#fail(`\\${name} is unknown`);
  }

  #fail(what: string): never {
    throw new SyntaxError(`math: ${what} in ${this.#source.trim()}`);
  }
}

/** The keys of a formula's terms, in their order, each once. */
export function termsOf(node: MathNode): string[] {
  const below = (nodes: readonly (MathNode | undefined)[]) => nodes.flatMap((n) => (n ? termsOf(n) : []));
  const found =
    node.kind === "term"
      ? [node.key, ...below(node.parts)]
      : node.kind === "row"
        ? below(node.parts)
        : node.kind === "fraction"
          ? below([node.above, node.below])
          : node.kind === "scripts"
            ? below([node.base, node.sub, node.sup])
            : node.kind === "root" || node.kind === "accent"
              ? below([node.of])
              : [];
  return [...new Set(found)];
}
