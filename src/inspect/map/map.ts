import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { type Cells, maskedCells } from "../cells.ts";
import type { MaskSpec } from "../mask.ts";
import { checkReduction, Pool, type Reduction } from "../pyramid.ts";
import type { RowSums } from "../trace/trace.ts";

/** Plain loops take some ten seconds for them. */
const MOST_RECOMPUTED = 2 ** 29;

/** The side of a tile, in cells. */
export const TILE = 256;

/** Part of a head at one level: rows and columns of the unpooled map that a tile covers. */
export interface TileRequest {
  readonly head: number;
  readonly level: number;
  readonly rows: readonly [begin: number, end: number];
  readonly columns: readonly [begin: number, end: number];
  readonly reduction: Reduction;
}

/** Something faster than plain loops, such as the kernels' probe; where it answers undefined, the loops do the work. */
export interface MapComputer {
  rows?(head: number, begin: number, end: number): Cells | undefined;
  tile?(request: TileRequest): Cells | undefined;
  pooled?(head: number, factor: number): Cells | undefined;
}

/** How a map is kept. */
export interface MapReader {
  /** The keys [start, end) beyond which all are hidden from query t. */
  range(h: number, t: number): readonly [start: number, end: number];
  /** Writes keys [from, to), all within that range, to `out` from `at`. */
  read(h: number, t: number, from: number, to: number, out: Cells, at: number): void;
  /** The weights of these keys as they are kept, where all are visible: faster to pool. */
  visible?(h: number, t: number, from: number, to: number): Float32Array | undefined;
}

export interface MapFacts {
  readonly H: number;
  readonly T: number;
  readonly S: number;
  readonly source: "dense" | "qk" | "sparse";
  readonly rowSums: RowSums;
  readonly maskSpec?: MaskSpec | undefined;
}

/**
 * The weights of all heads of a layer, whatever they are kept as. Only what is asked for is ever computed: no T × S
 * buffer is made.
 */
export class AttentionMap implements MapFacts {
  readonly H: number;
  readonly T: number;
  readonly S: number;
  readonly source: MapFacts["source"];
  readonly rowSums: RowSums;
  readonly maskSpec: MaskSpec | undefined;
  /** How many levels `tile` knows: at the last one, a single tile shows all. */
  readonly levels: number;
  readonly #reader: MapReader;
  readonly #computer: MapComputer;

  constructor(facts: MapFacts, reader: MapReader, computer: MapComputer = {}) {
    const { H, T, S } = facts;
    this.H = H;
    this.T = T;
    this.S = S;
    this.source = facts.source;
    this.rowSums = facts.rowSums;
    this.maskSpec = facts.maskSpec;
    this.levels = 1 + Math.max(0, Math.ceil(Math.log2(Math.max(T, S) / TILE)));
    this.#reader = reader;
    this.#computer = computer;
  }

  /** The exact weights of queries [begin, end). */
  rows(head: number, begin: number, end: number): Cells {
    check("rows", "head", head, this.H);
    check("rows", "begin", begin, this.T);
    check("rows", "end", end, this.T + 1, begin);
    const computed = this.#computer.rows?.(head, begin, end);
    if (computed) return computed;
    const cells = maskedCells(end - begin, this.S);
    for (let t = begin; t < end; t++) {
      const [from, to] = this.#reader.range(head, t);
      if (from < to) this.#reader.read(head, t, from, to, cells, (t - begin) * this.S + from);
    }
    return cells;
  }

  /** The exact weights of one query. */
  row(head: number, query: number): Cells {
    check("row", "query", query, this.T);
    return this.rows(head, query, query + 1);
  }

  /** The exact weights that all queries give one key: one column. Cost: O(T) cells read. */
  column(head: number, key: number): Cells {
    check("column", "head", head, this.H);
    check("column", "key", key, this.S);
    const cells = maskedCells(this.T, 1);
    for (let t = 0; t < this.T; t++) {
      const [from, to] = this.#reader.range(head, t);
      if (from <= key && key < to) this.#reader.read(head, t, key, key + 1, cells, t);
    }
    return cells;
  }

  /**
   * Tile (x, y) of a head, x across the keys: at most 256 × 256 cells, each of which shows a block of 2^level × 2^level
   * weights. Level 0 is exact. Cost: O(4^level) cells read; a cache is the caller's.
   *
   * @throws OptionError OPTION · LIMIT where so many weights must be recomputed that `tileSteps` should do it
   */
  tile(head: number, level: number, x: number, y: number, reduction: Reduction = "max"): Cells {
    const part = this.#part(head, level, x, y, reduction);
    const computed = this.#computer.tile?.(part);
    if (computed) return computed;
    this.#checkWork("tile", head, part.rows, part.columns);
    return finished(this.#pool(part, 2 ** level));
  }

  /**
   * `tile` a row at a time, for a page that answers its reader meanwhile: each step reads one row, the last one returns
   * the tile.
   */
  *tileSteps(
    ...[head, level, x, y, reduction = "max"]: Parameters<AttentionMap["tile"]>
  ): Generator<undefined, Cells, undefined> {
    const part = this.#part(head, level, x, y, reduction);
    return this.#computer.tile?.(part) ?? (yield* this.#pool(part, 2 ** level));
  }

  #part(head: number, level: number, x: number, y: number, reduction: Reduction): TileRequest {
    const op = "tile";
    check(op, "head", head, this.H);
    check(op, "level", level, this.levels);
    checkReduction(op, reduction);
    const side = TILE * 2 ** level;
    check(op, "x", x, Math.ceil(this.S / side));
    check(op, "y", y, Math.ceil(this.T / side));
    const rows = [y * side, Math.min((y + 1) * side, this.T)] as const;
    const columns = [x * side, Math.min((x + 1) * side, this.S)] as const;
    return { head, level, rows, columns, reduction };
  }

  /**
   * All of a head, each cell the largest weight of its block of factor × factor: a picture of any size. Cost: O(T·S) cells
   * read, a row at a time.
   *
   * @throws OptionError OPTION · LIMIT where so many weights must be recomputed that a `MapComputer` should do it
   */
  pooled(head: number, factor: number): Cells {
    check("pooled", "head", head, this.H);
    check("pooled", "factor", factor, Math.max(this.T, this.S) + 1, 1);
    const computed = this.#computer.pooled?.(head, factor);
    if (computed) return computed;
    const [rows, columns] = [[0, this.T] as const, [0, this.S] as const];
    this.#checkWork("pooled", head, rows, columns);
    return finished(this.#pool({ head, rows, columns, reduction: "max" }, factor));
  }

  /** A file of half a megabyte can hold the q and k of a head that takes half a minute. */
  #checkWork(
    op: string,
    head: number,
    rows: readonly [number, number],
    columns: readonly [number, number],
  ): void {
    if (this.source !== "qk" || (rows[1] - rows[0]) * (columns[1] - columns[0]) <= MOST_RECOMPUTED) return;
    let weights = 0;
    for (let t = rows[0]; t < rows[1]; t++) {
      const [from, to] = this.#reader.range(head, t);
      weights += Math.max(0, Math.min(to, columns[1]) - Math.max(from, columns[0]));
    }
    if (weights <= MOST_RECOMPUTED) return;
    const rule = `one call must recompute at most ${MOST_RECOMPUTED} weights of q and k`;
    const remedy = "take tileSteps, which works in turns, or give layerMap a computer such as kernelMaps";
    throw new OptionError("LIMIT", { op, rule, got: weights, remedy });
  }

  *#pool(
    { head, rows, columns, reduction }: Omit<TileRequest, "level">,
    factor: number,
  ): Generator<undefined, Cells, undefined> {
    const width = columns[1] - columns[0];
    const room = maskedCells(Math.ceil((rows[1] - rows[0]) / factor), Math.ceil(width / factor));
    const pooled = new Pool(room, [factor, factor], reduction);
    const line = maskedCells(1, width);
    for (let t = rows[0]; t < rows[1]; t++) {
      const [start, end] = this.#reader.range(head, t);
      const from = Math.max(start, columns[0]);
      const to = Math.min(end, columns[1]);
      if (from >= to) continue;
      yield;
      const visible = reduction === "max" ? this.#reader.visible?.(head, t, from, to) : undefined;
      if (visible && pooled.addVisible(t - rows[0], from - columns[0], visible)) continue;
      this.#reader.read(head, t, from, to, line, 0);
      pooled.add(t - rows[0], from - columns[0], to - columns[0], line, 0);
    }
    return pooled.cells;
  }
}

/** What the steps come to, all taken at once. */
export function finished<T>(steps: Generator<undefined, T, undefined>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function check(op: string, name: string, got: number, end: number, begin = 0): void {
  if (Number.isSafeInteger(got) && got >= begin && got < end) return;
  throw new OptionError(
    "OPTION",
    outOfRange({ op, name, rule: `an integer from ${begin} to ${end - 1}`, got }),
  );
}
