import { DataError } from "../../core/errors.ts";

/** Atoms of one side of a reaction, in the order of their tokens. */
export interface Atoms {
  /** Z of each. */
  readonly elements: readonly number[];
  /** The numbers of the atoms that each is bonded to. */
  readonly neighbours: readonly (readonly number[])[];
}

/** Which reactant atom each product atom was. */
export interface Assignment {
  /** By product atom: the reactant atom, or −1 where there is none of its element left. */
  readonly origins: readonly number[];
  /** By product atom: the share of attention that its reactant atom had when it was chosen; 1 where none was. */
  readonly confidences: readonly number[];
  /** [P][R], before any atom is mapped; a row sums to 1, or is 0 where no reactant atom is of its element. */
  readonly weights: readonly (readonly number[])[];
}

/** Below this a weight is none. */
const NOTHING = 1e-8;

/**
 * Maps product atoms to reactant atoms by what a head looks at.
 *
 *     a[p][r] = head[p][r] + head[r][p] where p and r are of one element, else 0
 *     again and again, until every product atom is mapped or no weight is left:
 *       w = a ⊙ m, each row divided by its sum
 *       (p, r) = the largest w;  p was r, with confidence w[p][r]
 *       m[n][n′] ×= multiplier for the neighbours n of p and n′ of r;  row p and column r of m become 0
 *
 * Shapes: attention [P][R], the sum of both directions.
 * Cost: O(P² R). Paper: Schwaller et al. 2021, doi.org/10.1126/sciadv.abe4166.
 *
 * @param multiplier how much likelier neighbours of what is mapped become; the paper's model has 90
 * @throws DataError FORMAT where a side has no atom
 * @example
 * const chain = { elements: [6, 8], neighbours: [[1], [0]] };
 * assignAtoms([[0.9, 0.1], [0.2, 0.3]], chain, chain, 90).origins; // [0, 1]
 */
export function assignAtoms(
  attention: readonly ArrayLike<number>[],
  products: Atoms,
  reactants: Atoms,
  multiplier: number,
): Assignment {
  const [P, R] = [products.elements.length, reactants.elements.length];
  if (P === 0 || R === 0) {
    const fault = { op: "assignAtoms", rule: "both sides must have atoms", remedy: "write both sides" };
    throw new DataError("FORMAT", { ...fault, got: `${P} of products and ${R} of reactants` });
  }
  const own = products.elements.map((element, p) =>
    Float64Array.from(reactants.elements, (other, r) => (other === element ? attention[p]![r]! : 0)),
  );
  const factors = own.map(() => new Float64Array(R).fill(1));
  const weights = own.map((row) => shares(row, factors[0]!));
  const origins = new Array<number>(P).fill(-1);
  const confidences = new Array<number>(P).fill(1);
  let current = weights;
  for (let mapped = 0; mapped < P; mapped++) {
    const [p, r] = largest(current);
    const confidence = current[p]![r]!;
    if (!(confidence > NOTHING)) break;
    origins[p] = r;
    confidences[p] = confidence;
    for (const n of products.neighbours[p]!)
      for (const other of reactants.neighbours[r]!) factors[n]![other]! *= multiplier;
    factors[p]!.fill(0);
    for (const row of factors) row[r] = 0;
    current = own.map((row, n) => shares(row, factors[n]!));
  }
  return { origins, confidences, weights: weights.map((row) => Array.from(row)) };
}

/** Products of weights and factors as shares of their sum. */
function shares(row: Float64Array, factors: Float64Array): Float64Array {
  const weighted = row.map((weight, r) => weight * factors[r]!);
  const sum = weighted.reduce((total, weight) => total + weight, 0);
  return sum === 0 ? weighted : weighted.map((weight) => weight / sum);
}

/** The first of the largest cells. */
function largest(rows: readonly Float64Array[]): [p: number, r: number] {
  let best: [number, number] = [0, 0];
  for (const [p, row] of rows.entries())
    for (let r = 0; r < row.length; r++) if (row[r]! > rows[best[0]]![best[1]]!) best = [p, r];
  return best;
}
