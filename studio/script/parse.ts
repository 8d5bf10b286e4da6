/** Reads the page's language: the part of JavaScript that `interpret.ts` can run. Nothing is ever evaluated as text. */
import { type Node, type Program, parse, tokenizer } from "acorn";

/** What is wrong with a text, and where; lines count from 1, columns from 0. */
export class ScriptError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, { line, column }: { line: number; column: number }) {
    super(message);
    this.name = "ScriptError";
    this.line = line;
    this.column = column;
  }
}

/** Longer texts are no mechanism, and take long to read. */
const LONGEST = 20_000;
const VERSION = 2024;

/**
 * A text as the tree of its program. TypeScript's `!` after a value says nothing to a machine and is skipped.
 *
 * @throws ScriptError with the line
 */
export function parseScript(text: string): Program {
  if (text.length > LONGEST)
    throw new ScriptError(`The text may have ${LONGEST} letters, and has ${text.length}.`, {
      line: 1,
      column: 0,
    });
  const options = {
    ecmaVersion: VERSION,
    locations: true,
    allowReturnOutsideFunction: true,
  } as const;
  try {
    return parse(withoutAssertions(text), options);
  } catch (error) {
    throw placed(error, text);
  }
}

/** Blanks each `!` that stands between a value and what reads it: JavaScript has none there. */
function withoutAssertions(text: string): string {
  const letters = [...text];
  if (!/[\w)\]]!(?!=)/.test(text) || letters.length !== text.length) return text;
  let end = -1;
  for (const token of tokenizer(text, { ecmaVersion: VERSION })) {
    const isAfterValue = token.start === end && /[\w$)\]]/.test(text[token.start - 1] ?? "");
    if (token.type.label === "!/~" && text[token.start] === "!" && isAfterValue) letters[token.start] = " ";
    end = token.end;
  }
  return letters.join("");
}

/** acorn says where in the error, and again in its message. */
function placed(error: unknown, text: string): Error {
  const { loc, pos, message } = error as {
    loc?: { line: number; column: number };
    pos: number;
    message: string;
  };
  if (!loc) return error as Error;
  // After a name JavaScript has no colon here; TypeScript's types begin with one.
  if (text[pos] === ":") return new ScriptError("Types cannot be read here; leave them out.", loc);
  return new ScriptError(`This is no JavaScript: ${message.replace(/ \(\d+:\d+\)$/, "")}.`, loc);
}

/** Where a node begins. */
export const startOf = (node: Node): { line: number; column: number } => node.loc!.start;

/** The nodes right below another, in no order. */
export function childrenOf(node: Node): Node[] {
  const isNode = (x: unknown): x is Node => typeof (x as Node | null)?.type === "string";
  return Object.values(node).flatMap((part) =>
    Array.isArray(part) ? part.filter(isNode) : isNode(part) ? [part] : [],
  );
}
