/** Reads the page's language: the part of JavaScript that `interpret.ts` can run. Nothing is ever evaluated as text. */
import { tsPlugin } from "@sveltejs/acorn-typescript";
import { type Node, Parser, type Program } from "acorn";
import { withoutTypes } from "./types.ts";

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

const TypeScript = Parser.extend(tsPlugin());

/**
 * A text as the tree of its program. TypeScript's types, `as`, `satisfies` and `!` say nothing to a machine and are left out.
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
    sourceType: "script",
    locations: true,
    allowReturnOutsideFunction: true,
  } as const;
  try {
    return withoutTypes(TypeScript.parse(text, options));
  } catch (error) {
    throw placed(error);
  }
}

/** acorn says where in the error, and again in its message. */
function placed(error: unknown): Error {
  const { loc, message } = error as { loc?: { line: number; column: number }; message: string };
  if (!loc) return error as Error;
  return new ScriptError(`This is no TypeScript: ${message.replace(/ \(\d+:\d+\)$/, "")}.`, loc);
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
