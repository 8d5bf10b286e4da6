/**
 * Modifications of scores as a WebAssembly module, made when a call needs it. Its functions work on one tile of scores
 * that a kernel holds in its first cache, and are called once a tile:
 *
 *     plan(block, b, h, q0, q1, k0, k1)                              −1 nothing visible, or MASKED and CHANGED
 *     keys(block, b, h, i0, j0, tile, ld, rows, lanes, todo)         rows are keys, lanes queries: tile ← what is asked
 *     queries(… the same …)                                          rows are queries, lanes keys
 *     slopes(… the same …, slope)                                    and slope ← ∂score′/∂score
 *     gradients(… the same …, dscore, sums)                          sums ← sums + Σ dscore · ∂score′/∂tensor
 *
 * i0 and j0 are the tile's first query and key, `ld` bytes from row to row, lanes a multiple of 4. `block` describes the
 * captured tensors of a call (see `TensorPlan`), so that a module serves any sizes. What is hidden becomes −∞ by
 * selection, and a score that is −∞ already stays so. In `gradients` the tile holds the scores before their change, and
 * sums are float64, one for each number of a tensor.
 */
import { derivative } from "../derivative.ts";
import { gathersOf } from "../expression.ts";
import { planBlock } from "../intervals.ts";
import type { Node, Nodes } from "../nodes.ts";
import {
  assemble,
  type Code,
  FunctionCode,
  f32x4,
  i32,
  i32x4,
  type Local,
  lane,
  load,
  op,
  store,
  when,
} from "./assembler.ts";
import { type Elements, Emitter, LANES, PART, partStarts, ROW, type TensorPlan, TILE } from "./emit.ts";

/** What is to be done to a tile. */
export const MASKED = 1;
export const CHANGED = 2;

/** The functions in the order in which kernels find them. */
export const FUNCTIONS = ["plan", "keys", "queries", "slopes", "gradients"] as const;

export interface ModuleSource {
  readonly nodes: Nodes;
  readonly score: Node | undefined;
  readonly mask: Node | undefined;
  readonly tensors: readonly TensorPlan[];
  /** Tensors whose gradients may be asked for. */
  readonly learned: readonly string[];
}

/** The bytes of a module for a memory that is shared, or is not. */
export function buildModule(source: ModuleSource, isShared: boolean): Uint8Array<ArrayBuffer> {
  const functions: Record<string, FunctionCode> = {
    plan: planFunction(source),
    keys: tileFunction(source, "keys"),
    queries: tileFunction(source, "queries"),
  };
  if (source.score) {
    functions.slopes = tileFunction(source, "slopes");
    functions.gradients = gradientsFunction(source);
  }
  return assemble(functions, isShared);
}

const splat = (x: Local) => op("f32x4.splat", op("f32.convert_i32_s", x.get));

function planFunction({ nodes, score, mask, tensors }: ModuleSource): FunctionCode {
  const made = new FunctionCode(["i32", "i32", "i32", "i32", "i32", "i32", "i32"], "i32");
  const [block, b, h, q0, q1, k0, k1] = [0, 1, 2, 3, 4, 5, 6].map((n) => made.param(n)) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const codes = { b: splat(b), h: splat(h), q0: splat(q0), q1: splat(q1), k0: splat(k0), k1: splat(k1) };
  const emitter = new Emitter(made, block, tensors, { levels: {}, codes });
  const { visible, full, unchanged } = planBlock(nodes, { ...(mask && { mask }), ...(score && { score }) });
  emitter.make([visible, full, unchanged]);
  const bit = (truth: Node, n: number) =>
    op("i32.and", op("i32.eqz", lane.i32(emitter.get(truth), 0)), i32(1)).concat(
      n === 1 ? [] : op("i32.shl", i32(n >> 1)),
    );
  const todo = op("i32.or", bit(full, MASKED), bit(unchanged, CHANGED));
  const result = made.local("i32");
  made.code = [
    ...emitter.code[TILE],
    ...result.set(i32(-1)),
    ...when(lane.i32(emitter.get(visible), 0), result.set(todo)),
    ...result.get,
  ];
  return made;
}

/** The parameters and loops that all functions over tiles share. */
class TileLoops {
  readonly made: FunctionCode;
  readonly block: Local;
  readonly todo: Local;
  readonly elements: Elements;
  /** Bytes from the tile's first number to the current four. */
  readonly offset: Local;
  readonly score: Local;
  readonly #params: readonly Local[];
  readonly #keyRows: boolean;
  readonly #rowOffset: Local;
  readonly #r: Local;
  readonly #c: Local;

  constructor(keyRows: boolean, more = 0) {
    this.made = new FunctionCode(Array.from({ length: 10 + more }, () => "i32" as const));
    this.#params = Array.from({ length: 10 + more }, (_, n) => this.made.param(n));
    this.block = this.#params[0]!;
    this.todo = this.#params[9]!;
    this.#keyRows = keyRows;
    const locals = ["i32", "i32", "i32", "i32", "i32", "i32"].map(() => this.made.local("i32"));
    const [r, c, offset, rowOffset, row, first] = locals as [Local, Local, Local, Local, Local, Local];
    this.#r = r;
    this.#c = c;
    this.offset = offset;
    this.#rowOffset = rowOffset;
    this.score = this.made.local("v128");
    const [rowName, laneName] = keyRows ? (["k", "q"] as const) : (["q", "k"] as const);
    const along = op(
      "f32x4.convert_i32x4_s",
      op("i32x4.add", op("i32x4.splat", first.get), i32x4(0, 1, 2, 3)),
    );
    this.elements = {
      levels: { score: LANES, [rowName]: ROW, [laneName]: LANES },
      codes: {
        score: this.score.get,
        b: splat(this.#params[1]!),
        h: splat(this.#params[2]!),
        [rowName]: splat(row),
        [laneName]: along,
      },
      lane: { name: laneName, first: first.get },
    };
    this.#row = row;
    this.#first = first;
  }

  readonly #row: Local;
  readonly #first: Local;

  param(n: number): Local {
    return this.#params[n]!;
  }

  /** The address of the current four of an array that lies as the tile does. */
  cell(array: Local): Code {
    return op("i32.add", array.get, this.offset.get);
  }

  /** An emitter, and its code put into the loops: `each` stores what it made, `rowDone` ends a row. */
  run(
    tensors: readonly TensorPlan[],
    make: (emitter: Emitter) => { each: Code; rowStart?: Code; rowDone?: Code },
  ): Code {
    const emitter = new Emitter(this.made, this.block, tensors, this.elements);
    const { each, rowStart = [], rowDone = [] } = make(emitter);
    const [tile, row, lanes] = emitter.code;
    const [i0, j0, scores, ld, rows, width] = [3, 4, 5, 6, 7, 8].map((n) => this.#params[n]!) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const [firstRow, firstLane] = this.#keyRows ? [j0, i0] : [i0, j0];
    const inner: Code = [
      ...this.#first.set(op("i32.add", firstLane.get, this.#c.get)),
      ...this.offset.set(op("i32.add", this.#rowOffset.get, op("i32.shl", this.#c.get, i32(2)))),
      ...this.score.set(load.v128(this.cell(scores))),
      ...lanes,
      ...each,
    ];
    return [
      ...tile,
      ...this.made.loop(this.#r, i32(0), rows.get, 1, [
        ...this.#row.set(op("i32.add", firstRow.get, this.#r.get)),
        ...this.#rowOffset.set(op("i32.mul", this.#r.get, ld.get)),
        ...row,
        ...rowStart,
        ...this.made.loop(this.#c, i32(0), width.get, 4, inner),
        ...rowDone,
      ]),
    ];
  }
}

const hidden = f32x4(Number.NEGATIVE_INFINITY);

function tileFunction(source: ModuleSource, name: "keys" | "queries" | "slopes"): FunctionCode {
  const { nodes, score, mask, tensors } = source;
  const loops = new TileLoops(name === "keys", name === "slopes" ? 1 : 0);
  const scoreNode = nodes.variable("score");
  const variant = (changes: boolean, masks: boolean): Code =>
    loops.run(tensors, (emitter) => {
      const slope = name === "slopes" && changes ? derivative(nodes, score!, scoreNode) : undefined;
      const roots = [...(changes ? [score!] : []), ...(masks ? [mask!] : []), ...(slope ? [slope] : [])];
      emitter.make(roots);
      const value = changes ? emitter.get(score!) : loops.score.get;
      // A score of −∞ is hidden already: what a function makes of it does not matter.
      const seen = op("f32x4.ne", loops.score.get, hidden);
      const shown = masks ? (changes ? op("v128.and", emitter.get(mask!), seen) : emitter.get(mask!)) : seen;
      return {
        each: [
          ...store.v128(loops.cell(loops.param(5)), op("v128.bitselect", value, hidden, shown)),
          ...(slope ? store.v128(loops.cell(loops.param(10)), emitter.get(slope)) : []),
        ],
      };
    });
  const asks = (bit: number) => op("i32.and", loops.todo.get, i32(bit));
  const { made } = loops;
  const onlyMask = () => (mask ? variant(false, true) : []);
  if (!score) made.code = onlyMask();
  else {
    const changed = mask
      ? when(asks(MASKED), variant(true, true), variant(true, false))
      : variant(true, false);
    made.code = mask ? when(asks(CHANGED), changed, onlyMask()) : changed;
  }
  return made;
}

function gradientsFunction({ nodes, score, tensors, learned }: ModuleSource): FunctionCode {
  const loops = new TileLoops(false, 2);
  const { made } = loops;
  const parts = gathersOf([score!])
    .filter(({ name }) => learned.includes(name))
    .map((gather) => ({ gather, slope: derivative(nodes, score!, gather), sum: made.local("v128") }))
    .filter(({ slope }) => !(slope.op === "constant" && slope.value === 0));
  const { starts } = partStarts(tensors);
  const [dscore, sums] = [loops.param(10), loops.param(11)];
  const change = made.local("v128");
  /** Adds a float to the sum of an element. */
  const add = (name: string, element: Code, value: Code): Code => {
    const base = op("i32.add", sums.get, load.i32(loops.block.get, starts.get(name)! + PART.sums));
    const address = op("i32.add", base, op("i32.shl", element, i32(3)));
    return store.f64(address, op("f64.add", load.f64(address), op("f64.promote_f32", value)));
  };
  if (parts.length === 0) return made;
  made.code = loops.run(tensors, (emitter) => {
    emitter.make(
      parts.flatMap(({ gather, slope }) => [gather, slope]),
      parts.map(({ gather }) => gather),
    );
    const each: number[] = [...change.set(load.v128(loops.cell(dscore)))];
    const rowStart: number[] = [];
    const rowDone: number[] = [];
    for (const { gather, slope, sum } of parts) {
      // Hidden scores change nothing, whatever the slope is there.
      const isAny = op("f32x4.ne", change.get, f32x4(0));
      const product = op("v128.and", op("f32x4.mul", change.get, emitter.get(slope)), isAny);
      const four = [0, 1, 2, 3] as const;
      if (emitter.level(gather) < LANES) {
        // The same number all along the row.
        rowStart.push(...sum.set(f32x4(0)));
        each.push(...sum.set(op("f32x4.add", sum.get, product)));
        for (const n of four) {
          rowDone.push(...add(gather.name, lane.i32(emitter.index(gather), 0), lane.f32(sum.get, n)));
        }
      } else {
        each.push(...sum.set(product));
        for (const n of four) {
          each.push(...add(gather.name, lane.i32(emitter.index(gather), n), lane.f32(sum.get, n)));
        }
      }
    }
    return { each, rowStart, rowDone };
  });
  return made;
}
