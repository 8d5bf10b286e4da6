import { DataError } from "../../core/errors.ts";
import { ARROW } from "./tokens.ts";

/** How a text says that fragments are one compound: not at all, with "~" between them, or with "|f:0.1|" at its end. */
export type ReactionFormat = "plain" | "tilde" | "extended";

/** A reaction; the fragments of a compound, such as the ions of a salt, have "." between them. */
export interface Reaction {
  /** Reactants, then agents: the model tells them apart no more than it must. */
  readonly precursors: readonly string[];
  readonly products: readonly string[];
  readonly format: ReactionFormat;
}

const OP = "parseReaction";
const SHOWN = 80;

/** As much of a text as an error shows. */
export const excerpt = (text: string): string =>
  JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/**
 * Reads a reaction: `reactants>>products` or `reactants>agents>products`, compounds with "." between them. A dative bond "->" is
 * no arrow. What follows a space is fragment groups, "|f:0.1,3.4|", or a name, which is left out.
 *
 * @throws DataError FORMAT
 * @example
 * parseReaction("CC[O-].[Na+].BrCC>>CCOCC |f:0.1|").precursors; // ["BrCC", "CC[O-].[Na+]"]
 */
export function parseReaction(text: string): Reaction {
  const [, smiles = "", rest = ""] = /^\s*(\S*)\s*(.*)$/s.exec(text)!;
  if (smiles === "") throw refusal("be reactants>>products", "an empty line", "write one reaction a line");
  const sides = smiles.split(/(?<!-)>/);
  if (sides.length !== 3) {
    const remedy = "put >> between reactants and products";
    throw refusal("be reactants>>products or reactants>agents>products", excerpt(smiles), remedy);
  }
  const format = rest.includes("|") ? "extended" : smiles.includes("~") ? "tilde" : "plain";
  const [reactants, agents, products] = compounds(sides, format, rest) as [string[], string[], string[]];
  const precursors = [...reactants, ...agents];
  for (const [side, list] of Object.entries({ reactants: precursors, products })) {
    if (list.length === 0) throw refusal(`have ${side}`, excerpt(smiles), "write both sides");
  }
  return { precursors, products, format };
}

function refusal(must: string, got: string, remedy: string): DataError<"FORMAT"> {
  return new DataError("FORMAT", { op: OP, rule: `a reaction must ${must}`, got, remedy });
}

/** The compounds of each side. */
function compounds(sides: readonly string[], format: ReactionFormat, groups: string): string[][] {
  const fragments = sides.map((side) => side.split(".").filter((one) => one !== ""));
  if (format === "plain") return fragments;
  if (format === "tilde") return fragments.map((side) => side.map((one) => one.replaceAll("~", ".")));
  const [list = ""] = /f:[\d.,]+/.exec(groups) ?? [];
  const wanted = [...list.matchAll(/\d+(?:\.\d+)*/g)].map(([group]) => group.split(".").map(Number));
  let first = 0;
  return fragments.map((side) => {
    const joined = join(side, wanted, first);
    first += side.length;
    return joined;
  });
}

/** Joins the fragments of one side, whose first has the number `first` in the text; joined ones come last. */
function join(side: readonly string[], groups: readonly number[][], first: number): string[] {
  const here = (n: number) => n >= first && n < first + side.length;
  const own = groups.filter((group) => group.some(here));
  const torn = own.find((group) => !group.every(here));
  if (torn) {
    const remedy = "count fragments from 0 over the whole reaction";
    throw refusal("have the fragments of a group on one side", `the group ${torn.join(".")}`, remedy);
  }
  const taken = new Set(own.flat());
  const alone = side.filter((_, n) => !taken.has(first + n));
  return [...alone, ...own.map((group) => group.map((n) => side[n - first]!).join("."))];
}

type Sides = Pick<Reaction, "precursors" | "products">;

/** A reaction as text, in the format that it came in. */
export function writeReaction({ precursors, products, format }: Reaction): string {
  if (format === "tilde") return modelText({ precursors, products });
  const text = `${precursors.join(".")}${ARROW}${products.join(".")}`;
  if (format === "plain") return text;
  const groups: string[] = [];
  let next = 0;
  for (const compound of [...precursors, ...products]) {
    const { length } = compound.split(".");
    if (length > 1) groups.push(Array.from({ length }, (_, n) => next + n).join("."));
    next += length;
  }
  return groups.length > 0 ? `${text} |f:${groups.join()}|` : text;
}

/** A reaction as the model has learnt to read it: fragments of a compound have "~" between them. */
export function modelText({ precursors, products }: Sides): string {
  const side = (list: readonly string[]) => list.map((one) => one.replaceAll(".", "~")).join(".");
  return side(precursors) + ARROW + side(products);
}
