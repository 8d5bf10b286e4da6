import { size } from "../../../core/notation.ts";
import type { HostProgram } from "../../../core/program.ts";
import { offsetOf } from "../../../core/program-rows.ts";
import { clampPosition } from "../fields.ts";
import { type Call, type HeadGroup, type LogSumExp, Pass, roundUp, viewsOf, type Workspace } from "./pass.ts";
import { writeProblem } from "./problem.ts";
import { BLOCK_ROWS } from "./stripes.ts";

/** Which statistics are wanted. */
export interface ProbePlan {
  /** Queries whose weights are wanted whole. */
  readonly rows: readonly number[];
  /** How many of the largest weights of each query; 0: none. */
  readonly topCount: number;
  readonly entropy: boolean;
  readonly distance: boolean;
  readonly columnMass: boolean;
  /** Where the tiles' rows and columns begin, and where the last ones end. */
  readonly tiles: { readonly rows: Int32Array; readonly columns: Int32Array } | undefined;
  /** The side of the blocks whose largest weights are wanted; 0: none. */
  readonly blockSide: number;
}

/** What was wanted; the others have no elements. */
export interface ProbeArrays {
  /** [B, H, rows, S] */
  readonly rows: Float32Array;
  /** [B, H, T, topCount] */
  readonly topWeights: Float32Array;
  readonly topKeys: Int32Array;
  /** [B, H, T] */
  readonly entropy: Float32Array;
  readonly distance: Float32Array;
  /** [B, H, S] */
  readonly columnMass: Float64Array;
  /** [B, H, rows, columns]: sums. */
  readonly tiles: Float64Array;
  /** [B, H, ⌈T / blockSide⌉, ⌈S / blockSide⌉] */
  readonly blocks: Float32Array;
}

/** What the statistics of one stripe may take of the kernels' memory, about. */
const STRIPE_BYTES = 2 ** 20;

/** Where n things cut into so many parts begin, and where the last part ends. */
export function cuts(n: number, parts: number): Int32Array {
  return Int32Array.from({ length: parts + 1 }, (_, part) => Math.floor((part * n) / parts));
}

/** How many blocks n positions are; 0 where nobody asks. */
export const blocksOf = (n: number, side: number): number => (side > 0 ? Math.ceil(n / side) : 0);

function makeArrays({ shapes: { B, H, T, S } }: HostProgram, plan: ProbePlan): ProbeArrays {
  const { rows, topCount, tiles } = plan;
  const length = (wanted: boolean, ...rest: number[]) => (wanted ? size([B, H, ...rest]) : 0);
  return {
    rows: new Float32Array(length(true, rows.length, S)),
    topWeights: new Float32Array(length(true, T, topCount)),
    topKeys: new Int32Array(length(true, T, topCount)).fill(-1),
    entropy: new Float32Array(length(plan.entropy, T)),
    distance: new Float32Array(length(plan.distance, T)),
    columnMass: new Float64Array(length(plan.columnMass, S)),
    tiles: new Float64Array(tiles ? length(true, tiles.rows.length - 1, tiles.columns.length - 1) : 0),
    blocks: new Float32Array(
      length(plan.blockSide > 0, blocksOf(T, plan.blockSide), blocksOf(S, plan.blockSide)),
    ),
  };
}

/**
 * Statistics of the weights e^(score − lse) of operands `q` and `k`, computed again a block at a time: the statistics
 * of a stripe of queries are all that is kept, and of `rows` a row. A row's own statistics are written by one thread,
 * sums over rows are made here in the order of the rows: any number of threads gives the same bits.
 */
export function probePass(workspace: Workspace, call: Call, lse: LogSumExp, plan: ProbePlan): ProbeArrays {
  const { program } = call;
  const { H, T, S, D } = program.shapes;
  const { kernels, memory, threads } = workspace.space;
  const { topCount } = plan;
  const arrays = makeArrays(program, plan);
  const wantsStripes =
    topCount > 0 ||
    plan.entropy ||
    plan.distance ||
    plan.columnMass ||
    plan.tiles !== undefined ||
    plan.blockSide > 0;
  if (!wantsStripes && plan.rows.length === 0) return arrays;
  const tileColumns = plan.tiles ? plan.tiles.columns.length - 1 : 0;
  const blockColumns = blocksOf(S, plan.blockSide);
  const perRow = 16 + 8 * topCount + 8 * tileColumns + 4 * blockColumns + (4 * S) / BLOCK_ROWS;
  // At least a block for each thread.
  const stripeRows = Math.max(roundUp(STRIPE_BYTES / perRow, BLOCK_ROWS), BLOCK_ROWS * threads);
  const mostRows = Math.max(1, Math.min(T, stripeRows));
  const pass = new Pass(workspace, call, {
    operands: ["q", "k"],
    scratchBytes: kernels.attentionWeightsScratchBytes!(D),
    mostRows,
    packed: (arena) => ({
      ...{ lse: arena.floats(T), lseLow: arena.floats(T) },
      keyPanels: arena.floats(roundUp(S, 24) * D),
      weights: plan.rows.length ? arena.floats(S) : 0,
      entropy: plan.entropy ? arena.take(8 * mostRows) : 0,
      distance: plan.distance ? arena.take(8 * mostRows) : 0,
      topWeights: topCount ? arena.floats(mostRows * topCount) : 0,
      topKeys: topCount ? arena.floats(mostRows * topCount) : 0,
      tileSums: plan.tiles ? arena.take(8 * mostRows * tileColumns) : 0,
      blockMax: plan.blockSide ? arena.floats(mostRows * blockColumns) : 0,
      tileStarts: plan.tiles ? arena.floats(tileColumns + 1) : 0,
      columnSums: plan.columnMass ? arena.floats(Math.ceil(mostRows / BLOCK_ROWS) * roundUp(S, 24)) : 0,
    }),
  });
  type ProbeGroup = (typeof pass.groups)[number];
  const views = viewsOf(lse);
  for (const { problem, own } of pass.groups) {
    writeProblem(memory, problem, { topCount, tileColumns, blockColumns, blockSide: plan.blockSide });
    if (plan.tiles) new Int32Array(memory.buffer, own.tileStarts, tileColumns + 1).set(plan.tiles.columns);
  }

  const eachRow = (batch: ProbeGroup[]) => {
    for (const [n, i] of plan.rows.entries()) {
      const active = batch.filter((group) => i < group.T);
      for (const { problem, stripes, b, h } of active) {
        writeProblem(memory, problem, stripes.bring(b, h, i, i + 1));
      }
      pass.eachQueries("attentionWeights", active, [i, i + 1], 2 * D);
      for (const { own, b, h, S: visible } of active) {
        const row = ((b * H + h) * plan.rows.length + n) * S;
        arrays.rows.set(new Float32Array(memory.buffer, own.weights, visible), row);
      }
    }
    for (const { problem } of batch) writeProblem(memory, problem, { row0: 0 });
  };

  pass.run({
    keysReady: (batch) => {
      pass.each("attentionWeightKeys", batch, (group) => 4 * group.S * D);
      for (const { problem, b } of batch) {
        writeProblem(memory, problem, { offset: clampPosition(offsetOf(program, b)) });
      }
    },
    headReady: (batch) => {
      for (const group of batch) pass.bringLse(group, views);
      if (plan.rows.length) eachRow(batch);
      if (!wantsStripes) return;
      pass.eachStripe(batch, (groups, i0, end) => {
        pass.eachQueries("attentionProbe", groups, [i0, end], 2 * D);
        for (const group of groups)
          storeStripe(call, plan, memory, group, [i0, Math.min(group.T, end)], arrays);
      });
    },
  });
  return arrays;
}

type StatisticAddresses = Record<
  "entropy" | "distance" | "topWeights" | "topKeys" | "tileSums" | "columnSums" | "blockMax",
  number
>;

/** Takes the statistics of queries [i0, i1) of the head in a group. */
function storeStripe(
  { program }: Call,
  plan: ProbePlan,
  { buffer }: WebAssembly.Memory,
  { own, b, h, S: visible }: HeadGroup<StatisticAddresses & { lse: number }>,
  [i0, i1]: readonly [number, number],
  arrays: ProbeArrays,
): void {
  const { H, T, S } = program.shapes;
  const [head, rows] = [b * H + h, i1 - i0];
  const first = head * T + i0;
  if (plan.entropy) arrays.entropy.set(new Float64Array(buffer, own.entropy, rows), first);
  if (plan.distance) arrays.distance.set(new Float64Array(buffer, own.distance, rows), first);
  if (plan.topCount) {
    const [n, at] = [rows * plan.topCount, first * plan.topCount];
    arrays.topWeights.set(new Float32Array(buffer, own.topWeights, n), at);
    arrays.topKeys.set(new Int32Array(buffer, own.topKeys, n), at);
  }
  if (plan.columnMass) {
    const sums = arrays.columnMass.subarray(head * S, (head + 1) * S);
    const offset = offsetOf(program, b);
    for (let i = i0; i < i1; i += BLOCK_ROWS) {
      const block = ((i - i0) / BLOCK_ROWS) * roundUp(visible, 24);
      const columns = new Float32Array(buffer, own.columnSums + 4 * block, visible);
      // The kernel writes the columns that the band reaches from these queries.
      const from = Math.max(0, i + offset - program.left);
      const to = Math.min(visible, Math.min(i + BLOCK_ROWS, i1) + offset + program.right);
      for (let j = from; j < to; j++) sums[j]! += columns[j]!;
    }
  }
  if (plan.blockSide) {
    const [blockRows, columns] = [blocksOf(T, plan.blockSide), blocksOf(S, plan.blockSide)];
    const stripe = new Float32Array(buffer, own.blockMax, rows * columns);
    for (let i = i0; i < i1; i++) {
      const at = (head * blockRows + Math.floor(i / plan.blockSide)) * columns;
      for (let c = 0; c < columns; c++)
        arrays.blocks[at + c] = Math.max(arrays.blocks[at + c]!, stripe[(i - i0) * columns + c]!);
    }
  }
  if (plan.tiles) {
    const columns = plan.tiles.columns.length - 1;
    const stripe = new Float64Array(buffer, own.tileSums, rows * columns);
    const starts = plan.tiles.rows;
    let tile = 0;
    for (let i = i0; i < i1; i++) {
      while (starts[tile + 1]! <= i) tile++;
      const at = (head * (starts.length - 1) + tile) * columns;
      for (let c = 0; c < columns; c++) arrays.tiles[at + c]! += stripe[(i - i0) * columns + c]!;
    }
  }
}
