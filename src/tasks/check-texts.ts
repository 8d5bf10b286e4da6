import { OptionError } from "../core/errors.ts";

const kindOf = (value: unknown): string =>
  value === undefined ? "nothing" : `a value of type ${typeof value}`;

/** Throws OPTION for one text in place of a list: a string has a length too, and would be read letter by letter. */
export function checkList(op: string, texts: readonly unknown[]): void {
  if (Array.isArray(texts)) return;
  const remedy = "write a list, of one text too";
  throw new OptionError("OPTION", {
    op,
    rule: "texts must be a list of strings",
    got: kindOf(texts),
    remedy,
  });
}

/** Throws OPTION for what is no list of texts. */
export function checkTexts(op: string, texts: readonly unknown[]): void {
  checkList(op, texts);
  const at = texts.findIndex((text) => typeof text !== "string");
  if (at < 0) return;
  const [rule, remedy] = [`texts[${at}] must be a string`, "leave it out of the list"];
  throw new OptionError("OPTION", { op, rule, got: kindOf(texts[at]), remedy });
}

/** Throws OPTION for what is no text; `what` is its name in the documentation. */
export function checkText(op: string, what: string, text: unknown): asserts text is string {
  if (typeof text === "string") return;
  const remedy = "pass one text; arguments have an order";
  throw new OptionError("OPTION", { op, rule: `${what} must be a string`, got: kindOf(text), remedy });
}
