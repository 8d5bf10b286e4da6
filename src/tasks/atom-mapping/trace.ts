import { createTrace, type Trace, traceTensor } from "../../inspect/index.ts";
import type { AtomMap } from "./mapper.ts";

/** What stands above the picture of a map. */
export const ATOM_MAP_TITLE = "Attention from product atoms";

/**
 * The names of a map's atoms: a product atom has its number, a reactant atom that of what it became, or none.
 *
 * @example
 * const { products, reactants } = atomNames({ productAtoms: ["C"], reactantAtoms: ["[OH-]", "C"], origins: [1] });
 * [products, reactants]; // [["C:1"], ["OH-", "C:1"]]
 */
export function atomNames(map: Pick<AtomMap, "productAtoms" | "reactantAtoms" | "origins">): {
  products: string[];
  reactants: string[];
} {
  const { productAtoms, reactantAtoms, origins } = map;
  const name = (token: string, number: number) => {
    const symbol = token.replace(/^\[(.*)\]$/, "$1");
    return number > 0 ? `${symbol}:${number}` : symbol;
  };
  return {
    products: productAtoms.map((token, p) => name(token, p + 1)),
    reactants: reactantAtoms.map((token, r) => name(token, origins.indexOf(r) + 1)),
  };
}

/**
 * What each product atom looked at among the reactant atoms of its element, as a trace of one head: `products` over
 * `reactants`.
 *
 * @example
 * const mapper = await loadAtomMapper();
 * atomMapTrace(await mapper.map("CO>>CO")).tokens.products; // ["C:1", "O:2"]
 * mapper.dispose();
 */
export function atomMapTrace(map: AtomMap): Trace {
  const { products, reactants } = atomNames(map);
  const attn = traceTensor([1, products.length, reactants.length], map.weights.flat());
  return createTrace({
    name: ATOM_MAP_TITLE,
    tokens: { reactants, products },
    layers: [{ name: "atoms", alignQ: "products", alignK: "reactants", attn }],
  });
}
