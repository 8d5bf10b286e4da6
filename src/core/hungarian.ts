import { checkCount } from "./check-options.ts";
import { OptionError, ShapeError } from "./errors.ts";
import { wrongCount } from "./faults.ts";

/** A matching of rows and columns, each of which is in one pair at most. */
export interface Matching {
  /** [rows]: the column of each row, or −1 where it has none. */
  readonly columns: Int32Array;
  /** The sum of the costs of the pairs. */
  readonly cost: number;
}

/**
 * Hungarian matching: pairs of rows and columns whose costs have the least sum, exactly.
 *
 *     minimise Σ_r costs[r, columns[r]],    columns[r] ≠ columns[r′] for r ≠ r′
 *
 * Symbols: rows and columns are the two sides, such as predictions and objects.
 * Shapes: costs row-major [rows, columns], of any two sizes, 0 too; the smaller side is matched as a whole.
 * Conventions: costs of any sign. Infinity forbids a pair: there are as many pairs as the others allow, and of all such
 * matchings the result is one of the least cost. Which of several of one cost depends on the costs alone: equal input,
 * equal output. Each row is inserted by a shortest augmenting path over reduced costs, whose two potentials hold forbidden
 * pairs and costs apart, so that no large number stands in for Infinity and nothing is rounded away. Sums are float64: with
 * whole costs below 2⁵³ in all, the result is exact to the last digit.
 * Cost: O(n²·m) time, n ≤ m the two sizes; O(n + m) memory beside the costs.
 * Papers: Kuhn 1955, doi.org/10.1002/nav.3800020109; Jonker & Volgenant 1987, doi.org/10.1007/BF02278710.
 *
 * @throws ShapeError SHAPE where there are not rows·columns costs · OptionError OPTION, and NOT_FINITE for NaN and −Infinity
 * @example
 * const { columns, cost } = hungarian([4, 1, 3, 2, 0, 5], 2, 3); // [[4, 1, 3], [2, 0, 5]]
 * columns; // [1, 0]
 * cost; // 3
 */
export function hungarian(costs: ArrayLike<number>, rows: number, columns: number): Matching {
  const op = "hungarian";
  checkCount(op, "rows", rows, 0);
  checkCount(op, "columns", columns, 0);
  checkCosts(op, costs, rows, columns);
  const wide = rows <= columns;
  const at = wide
    ? (r: number, c: number) => costs[r * columns + c]!
    : (c: number, r: number) => costs[r * columns + c]!;
  const [n, m] = wide ? [rows, columns] : [columns, rows];
  const ownerOf = shortestPaths(at, n, m);
  const matched = new Int32Array(rows).fill(-1);
  ownerOf.forEach((owner, other) => {
    if (owner < 0 || at(owner, other) === Infinity) return;
    if (wide) matched[owner] = other;
    else matched[other] = owner;
  });
  const cost = matched.reduce((sum, c, r) => (c < 0 ? sum : sum + costs[r * columns + c]!), 0);
  return { columns: matched, cost };
}

/**
 * For each of m columns the row of n ≤ m that it is matched with, or −1. Every number is two: how many forbidden pairs (F), and
 * the cost of the others (C); the first decides, the second where the first is equal.
 */
function shortestPaths(at: (row: number, column: number) => number, n: number, m: number): Int32Array {
  const [rowF, rowC] = [new Float64Array(n), new Float64Array(n)];
  // One column more than there are: the root of each path, which holds the row that is being inserted.
  const root = m;
  const [columnF, columnC] = [new Float64Array(m + 1), new Float64Array(m + 1)];
  const ownerOf = new Int32Array(m + 1).fill(-1);
  const cameFrom = new Int32Array(m + 1);
  const [distanceF, distanceC] = [new Float64Array(m), new Float64Array(m)];
  const isDone = new Uint8Array(m + 1);
  for (let inserted = 0; inserted < n; inserted++) {
    ownerOf[root] = inserted;
    distanceF.fill(Infinity);
    distanceC.fill(Infinity);
    isDone.fill(0);
    let column = root;
    while (ownerOf[column]! >= 0) {
      isDone[column] = 1;
      const row = ownerOf[column]!;
      let next = -1;
      for (let c = 0; c < m; c++) {
        if (isDone[c]) continue;
        const cost = at(row, c);
        const isForbidden = cost === Infinity;
        const f = (isForbidden ? 1 : 0) - rowF[row]! - columnF[c]!;
        const reduced = (isForbidden ? 0 : cost) - rowC[row]! - columnC[c]!;
        if (isLess(f, reduced, distanceF[c]!, distanceC[c]!)) {
          distanceF[c] = f;
          distanceC[c] = reduced;
          cameFrom[c] = column;
        }
        if (next < 0 || isLess(distanceF[c]!, distanceC[c]!, distanceF[next]!, distanceC[next]!)) next = c;
      }
      const [f, reduced] = [distanceF[next]!, distanceC[next]!];
      for (let c = 0; c <= m; c++) {
        if (isDone[c]) {
          rowF[ownerOf[c]!]! += f;
          rowC[ownerOf[c]!]! += reduced;
          columnF[c]! -= f;
          columnC[c]! -= reduced;
        } else if (c < m) {
          distanceF[c]! -= f;
          distanceC[c]! -= reduced;
        }
      }
      column = next;
    }
    // The path is walked back: each of its columns takes the row of the one before.
    while (column !== root) {
      const before = cameFrom[column]!;
      ownerOf[column] = ownerOf[before]!;
      column = before;
    }
  }
  return ownerOf.subarray(0, m);
}

function isLess(f: number, cost: number, otherF: number, otherCost: number): boolean {
  return f < otherF || (f === otherF && cost < otherCost);
}

function checkCosts(op: string, costs: ArrayLike<number>, rows: number, columns: number): void {
  if (costs.length !== rows * columns) {
    const count = { letters: "rows·columns", expected: rows * columns, got: costs.length };
    throw new ShapeError("SHAPE", wrongCount({ op, name: "costs", ...count }));
  }
  for (let e = 0; e < costs.length; e++) {
    if (costs[e]! > Number.NEGATIVE_INFINITY) continue;
    const [row, column] = [Math.floor(e / columns), e % columns];
    throw new OptionError("NOT_FINITE", {
      op,
      rule: "every cost must be a number above −Infinity",
      got: `${costs[e]} at row ${row}, column ${column}`,
      remedy: "find out where it comes from, or give Infinity to forbid a pair",
      row,
      column,
    });
  }
}
