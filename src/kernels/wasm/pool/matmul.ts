import { Arena } from "../arena.ts";
import type { KernelCall } from "../space.ts";
import { PoolSpace } from "./pool.ts";

/** One operand: its numbers, the distance of neighbours in a column and in a row, and which matrix each product reads. */
export interface Factor {
  readonly values: Float32Array;
  readonly rowStride: number;
  readonly columnStride: number;
  /** The first number of the matrix of each product. */
  readonly starts: readonly number[];
}

export interface Products {
  readonly a: Factor;
  readonly b: Factor;
  /** The results one after another, [products, M, N]. */
  readonly out: Float32Array;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Rows and columns of a piece are whole blocks of the kernel. */
const ROW_BLOCK = 96;
const COLUMN_BLOCK = 512;
const PIECES_PER_THREAD = 4;
/** Operands are copied to the threads' memory: a product must be worth it. */
const LEAST_FLOPS = 2 ** 25;
const LEAST_DEPTH = 64;
const MOST_BYTES = 2 ** 30;

/** Whether threads would be done sooner than this one alone. */
export function isWorthThreads({ a, b, out, K }: Products): boolean {
  const bytes = 4 * (a.values.length + b.values.length + out.length);
  return 2 * out.length * K >= LEAST_FLOPS && K >= LEAST_DEPTH && bytes <= MOST_BYTES;
}

/**
 * out = a · b for every product, on all threads. Each number of the result is summed by one of them, in the order in
 * which one thread alone sums it: the bits are the same.
 *
 * @throws MemoryError MEMORY · WorkerError
 */
export function multiplyOnThreads(pool: PoolSpace, op: string, { a, b, out, M, N, K }: Products): void {
  const arena = new Arena(pool.memory, PoolSpace.FREE);
  const bytes = pool.kernels.gemmScratchBytes!(N);
  const [aAt, bAt, outAt] = [a.values, b.values, out].map((x) => arena.floats(x.length)) as [
    number,
    number,
    number,
  ];
  const scratch = { address: arena.take(bytes * pool.threads), bytes };
  arena.reserve(op);
  arena.f32(aAt, a.values.length).set(a.values);
  arena.f32(bAt, b.values.length).set(b.values);
  const [rows, columns] = pieceOf(M, N, Math.ceil((PIECES_PER_THREAD * pool.threads) / a.starts.length));
  const calls: KernelCall[] = [];
  for (const [n, aStart] of a.starts.entries()) {
    for (let i = 0; i < M; i += rows) {
      for (let j = 0; j < N; j += columns) {
        calls.push([
          ...[aAt + 4 * (aStart + i * a.rowStride), a.rowStride, a.columnStride],
          ...[bAt + 4 * (b.starts[n]! + j * b.columnStride), b.rowStride, b.columnStride],
          ...[outAt + 4 * ((n * M + i) * N + j), N, Math.min(rows, M - i), Math.min(columns, N - j), K],
        ]);
      }
    }
  }
  pool.run("gemmPart", calls, 2 * out.length * K, scratch);
  out.set(arena.f32(outAt, out.length));
}

/** The size of a piece when a matrix is cut in about this many, along the side with more blocks. */
function pieceOf(M: number, N: number, pieces: number): [rows: number, columns: number] {
  const [rowBlocks, columnBlocks] = [Math.ceil(M / ROW_BLOCK), Math.ceil(N / COLUMN_BLOCK)];
  if (rowBlocks >= columnBlocks) return [ROW_BLOCK * Math.ceil(rowBlocks / pieces), N];
  return [M, COLUMN_BLOCK * Math.ceil(columnBlocks / pieces)];
}
