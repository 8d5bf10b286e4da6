import { expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { hungarian } from "../../src/core/hungarian.ts";
import { RandomStream } from "../../src/core/random.ts";

interface Best {
  pairs: number;
  cost: number;
}

/** Every matching there is, by trying each column for each row and none: the most pairs, and of those the least cost. */
function bruteForce(costs: ArrayLike<number>, rows: number, columns: number): Best {
  const best: Best = { pairs: -1, cost: 0 };
  const taken = new Set<number>();
  const place = (row: number, pairs: number, cost: number) => {
    if (row === rows) {
      if (pairs > best.pairs || (pairs === best.pairs && cost < best.cost))
        Object.assign(best, { pairs, cost });
      return;
    }
    place(row + 1, pairs, cost);
    for (let column = 0; column < columns; column++) {
      const own = costs[row * columns + column]!;
      if (taken.has(column) || own === Infinity) continue;
      taken.add(column);
      place(row + 1, pairs + 1, cost + own);
      taken.delete(column);
    }
  };
  place(0, 0, 0);
  return best;
}

/** Pairs and cost of a result, once it is a matching. */
function checked(costs: ArrayLike<number>, rows: number, columns: number): Best {
  const found = hungarian(costs, rows, columns);
  expect(found.columns.length).toBe(rows);
  const used = [...found.columns].filter((column) => column >= 0);
  expect(new Set(used).size).toBe(used.length);
  expect(used.every((column) => column < columns)).toBe(true);
  const pairs = [...found.columns].flatMap((column, row) =>
    column < 0 ? [] : [costs[row * columns + column]!],
  );
  expect(found.cost).toBe(pairs.reduce((sum, cost) => sum + cost, 0));
  return { pairs: pairs.length, cost: found.cost };
}

it("finds the matching of a case worked by hand", () => {
  // Row 1 gives up column 1, the cheapest cell of all: 1 + 2 + 2 = 5, where with it 0 + 4 + 2 = 0 + 3 + 3 = 6.
  const costs = [4, 1, 3, 2, 0, 5, 3, 2, 2];
  const { columns, cost } = hungarian(costs, 3, 3);
  expect(cost).toBe(5);
  expect([...columns]).toEqual([1, 0, 2]);
});

it("agrees with brute force on 2000 random matrices up to 6 × 6, of few and of many different costs", () => {
  const random = new RandomStream(1);
  for (let n = 0; n < 2000; n++) {
    const [rows, columns] = [random.integer(7), random.integer(7)];
    // Few different costs: ties everywhere. Many: none. Both signs, and all sums exact.
    const range = [2, 3, 10, 100_000][n % 4]!;
    const costs = Float64Array.from({ length: rows * columns }, () => random.integer(range) - (range >> 1));
    expect(checked(costs, rows, columns)).toEqual(bruteForce(costs, rows, columns));
  }
});

it("makes the most pairs that are not forbidden, and of those the cheapest, on 1000 matrices with Infinity", () => {
  const random = new RandomStream(2);
  for (let n = 0; n < 1000; n++) {
    const [rows, columns] = [1 + random.integer(6), 1 + random.integer(6)];
    const share = [0.2, 0.5, 0.8][n % 3]!;
    const costs = Float64Array.from({ length: rows * columns }, () =>
      random.uniform() < share ? Infinity : random.integer(1000) - 500,
    );
    expect(checked(costs, rows, columns)).toEqual(bruteForce(costs, rows, columns));
  }
});

it("agrees with brute force on costs that are no whole numbers, up to the rounding of their sums", () => {
  const random = new RandomStream(3);
  for (let n = 0; n < 500; n++) {
    const [rows, columns] = [1 + random.integer(5), 1 + random.integer(5)];
    const costs = random.fillNormal(new Float64Array(rows * columns));
    const [found, best] = [checked(costs, rows, columns), bruteForce(costs, rows, columns)];
    expect(found.pairs).toBe(best.pairs);
    // Five costs below 6: each of some dozens of additions rounds by 30·2⁻⁵³ at most.
    expect(Math.abs(found.cost - best.cost)).toBeLessThanOrEqual(64 * 30 * 2 ** -53);
  }
});

it("is not misled by a cost that is larger than the others by sixteen digits", () => {
  const costs = [1e16, 1, 2, 1e16, Infinity, 3, 3, 1, 1e16];
  expect([...hungarian(costs, 3, 3).columns]).toEqual([1, 2, 0]);
});

it("cannot be beaten by a swap of two rows in a matrix of 100 × 120", () => {
  const random = new RandomStream(4);
  const [rows, columns] = [100, 120];
  const costs = Float64Array.from({ length: rows * columns }, () => random.integer(1000));
  const { columns: found, cost } = hungarian(costs, rows, columns);
  expect(new Set(found).size).toBe(rows);
  const at = (row: number, column: number) => costs[row * columns + column]!;
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b < a; b++) {
      const swapped = at(a, found[b]!) + at(b, found[a]!);
      expect(swapped).toBeGreaterThanOrEqual(at(a, found[a]!) + at(b, found[b]!));
    }
  }
  const transposed = Float64Array.from({ length: rows * columns }, (_, e) =>
    at(e % rows, Math.floor(e / rows)),
  );
  expect(hungarian(transposed, columns, rows).cost).toBe(cost);
});

it("matches nothing where a side is empty or every pair is forbidden", () => {
  expect(hungarian([], 0, 3)).toEqual({ columns: new Int32Array(0), cost: 0 });
  expect(hungarian([], 3, 0)).toEqual({ columns: Int32Array.of(-1, -1, -1), cost: 0 });
  expect(hungarian([Infinity, Infinity], 2, 1)).toEqual({ columns: Int32Array.of(-1, -1), cost: 0 });
});

it("refuses costs of another number, and those that have no place in an order", () => {
  expect(() => hungarian([1, 2, 3], 2, 2)).toThrow(ShapeError);
  expect(() => hungarian([1, 2, 3], 2, 2)).toThrow(
    "hungarian: costs must hold rows·columns = 4 numbers, got 3; pass the whole array, row-major and not detached",
  );
  expect(() => hungarian([1, 2, 3, 4, Number.NaN, 6], 2, 3)).toThrow(OptionError);
  expect(() => hungarian([1, 2, 3, 4, Number.NaN, 6], 2, 3)).toThrow(
    "hungarian: every cost must be a number above −Infinity, got NaN at row 1, column 1; find out where it comes " +
      "from, or give Infinity to forbid a pair",
  );
  expect(() => hungarian([Number.NEGATIVE_INFINITY], 1, 1)).toThrow("got -Infinity at row 0, column 0;");
  expect(() => hungarian([], -1, 1)).toThrow(
    "hungarian: rows must be an integer ≥ 0, got -1; choose one in that range or leave it out",
  );
});
