/** The uniform buffer of the attention passes: one struct for all of them, then a table with two rows an example. */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { offsetOf } from "../../core/program-rows.ts";
import { words } from "../../core/random.ts";
import { callLayout, type Layout, type RowLayout } from "../layout.ts";
import { tensorPlaces } from "./modification.ts";
import type { Slice } from "./slices.ts";

/** Fields and their types, in the order of the buffer. */
const FIELDS = {
  T: "i32",
  S: "i32",
  H: "i32",
  D: "i32",
  Dv: "i32",
  // Heads of the slice: query heads of a key/value head, and the first example, query head and key/value head.
  group: "i32",
  b0: "i32",
  h0: "i32",
  g0: "i32",
  hn: "i32",
  gn: "i32",
  bn: "i32",
  // Where rows stand: numbers from one example, head and row to the next, and where the bound part begins.
  qExample: "i32",
  qHead: "i32",
  qRow: "i32",
  qStart: "i32",
  kExample: "i32",
  kHead: "i32",
  kRow: "i32",
  kStart: "i32",
  vExample: "i32",
  vHead: "i32",
  vRow: "i32",
  vStart: "i32",
  oExample: "i32",
  oHead: "i32",
  oRow: "i32",
  oStart: "i32",
  // One number a row: lse and its like, `rows` of them.
  rExample: "i32",
  rHead: "i32",
  rows: "i32",
  biasB: "i32",
  biasH: "i32",
  biasI: "i32",
  biasJ: "i32",
  biasStart: "i32",
  allowB: "i32",
  allowH: "i32",
  allowI: "i32",
  allowJ: "i32",
  allowStart: "i32",
  // Visible keys of query i: i + low ≤ j ≤ i + high, within the lengths. With a table, of no example's own.
  low: "i32",
  high: "i32",
  queryLength: "i32",
  keyLength: "i32",
  // Tiles of keys in each split of them, and splits.
  splitTiles: "i32",
  splits: "i32",
  // Whether a gradient is added to what an earlier slice left.
  adds: "i32",
  // Where captured tensors begin behind rows, and sinks behind captured tensors.
  tensorRow: "i32",
  sinkStart: "i32",
  threshold: "u32",
  seedLow: "u32",
  seedHigh: "u32",
  scale: "f32",
  softCap: "f32",
  sink: "f32",
  keepScale: "f32",
  // Numbers that WGSL has no words for.
  infinity: "f32",
} as const;

export type UniformName = keyof typeof FIELDS;
export type UniformValues = Partial<Record<UniformName, number>>;

const NAMES = Object.keys(FIELDS) as UniformName[];
const HEAD_BYTES = Math.ceil((4 * NAMES.length) / 16) * 16;

/** The most examples of a table that a uniform buffer of 64 KiB holds. */
export const TABLE_EXAMPLES = 1024;

/** The struct in WGSL, with room in its table for `examples` examples. */
export function uniformStruct(examples: number): string {
  const fields = NAMES.map((name) => `  ${name}: ${FIELDS[name]},`).join("\n");
  const table = examples > 0 ? `\n  @align(16) table: array<vec4i, ${2 * examples}>,` : "";
  return `struct Uniforms {\n${fields}${table}\n}\n`;
}

/** The bytes of the struct; `table` has 8 numbers an example. */
function uniformBytes(values: UniformValues, table: readonly number[], examples: number): ArrayBuffer {
  const bytes = new ArrayBuffer(HEAD_BYTES + 32 * examples);
  const view = new DataView(bytes);
  NAMES.forEach((name, n) => {
    const value = values[name] ?? 0;
    if (FIELDS[name] === "f32") view.setFloat32(4 * n, value, true);
    else if (FIELDS[name] === "u32") view.setUint32(4 * n, value, true);
    else view.setInt32(4 * n, value, true);
  });
  table.forEach((value, n) => {
    view.setInt32(HEAD_BYTES + 4 * n, value, true);
  });
  return bytes;
}

/** Beyond any position, and small enough that sums of two stay integers of 32 bits. */
const FAR = 2 ** 29;
const clamp = (n: number) => Math.min(Math.max(n, -FAR), FAR);

/** Batches up to this share their shaders. */
const LEAST_EXAMPLES = 16;

/** Examples in a table of one slice: a power of two, so that few shaders differ by it; 0 where all are alike. */
export function tableExamples(program: AttentionProgram<ArrayInfo>, layout: Layout, { bn }: Slice): number {
  const { queryLengths, keyLengths, offset } = program;
  if (layout !== "thd" && !queryLengths && !keyLengths && typeof offset === "number") return 0;
  return Math.max(LEAST_EXAMPLES, 2 ** Math.ceil(Math.log2(bn)));
}

function exampleRows(program: AttentionProgram<ArrayInfo>, layout: Layout, { b0, bn }: Slice): number[] {
  const { queryLengths, keyLengths, shapes, left, right } = program;
  const { queries, keys } = callLayout(layout, shapes, queryLengths, keyLengths);
  return Array.from({ length: bn }, (_, n) => {
    const b = b0 + n;
    const offset = offsetOf(program, b);
    const lengths = [queryLengths?.[b] ?? shapes.T, keyLengths?.[b] ?? shapes.S];
    const starts = [queries.starts?.[b] ?? 0, keys.starts?.[b] ?? 0];
    return [...lengths, clamp(offset - left), clamp(offset + right), ...starts, 0, 0];
  }).flat();
}

/** Numbers from one example, head and row to the next. */
function steps(rows: RowLayout, width: number) {
  const isPacked = rows.starts !== undefined;
  return {
    example: isPacked ? 0 : rows.heads * rows.length * width,
    head: rows.layout === "bhtd" ? rows.length * width : width,
    row: rows.step(width),
  };
}

/** The bytes for one slice of a program; `own` are fields of one pass alone. */
export function programUniforms(
  program: AttentionProgram<ArrayInfo>,
  layout: Layout,
  slice: Slice,
  own: UniformValues = {},
): ArrayBuffer {
  const { shapes, bias, allow, dropout, sink, left, right } = program;
  const { T, S, H, Hkv, D, Dv } = shapes;
  const { queries, keys } = callLayout(layout, shapes, program.queryLengths, program.keyLengths);
  const [q, k, v, o] = [steps(queries, D), steps(keys, D), steps(keys, Dv), steps(queries, Dv)];
  const { bn, starts } = slice;
  const offset = offsetOf(program, slice.b0);
  const [seedLow, seedHigh] = words(dropout?.seed ?? 0);
  const rows = queries.rows(shapes.B);
  const group = H / Hkv;
  const values: UniformValues = {
    T,
    S,
    H,
    D,
    Dv,
    group,
    b0: slice.b0,
    h0: slice.g0 * group,
    g0: slice.g0,
    hn: slice.gn * group,
    gn: slice.gn,
    bn,
    qExample: q.example,
    qHead: q.head,
    qRow: q.row,
    qStart: starts.q,
    kExample: k.example,
    kHead: k.head,
    kRow: k.row,
    kStart: starts.k,
    vExample: v.example,
    vHead: v.head,
    vRow: v.row,
    vStart: starts.v,
    oExample: o.example,
    oHead: o.head,
    oRow: o.row,
    oStart: starts.out,
    rExample: queries.starts ? 0 : H * T,
    rHead: queries.starts ? rows / H : T,
    rows,
    ...(bias && { biasB: bias.strides[0], biasH: bias.strides[1] }),
    ...(bias && { biasI: bias.strides[2], biasJ: bias.strides[3], biasStart: starts.bias }),
    ...(allow && { allowB: allow.strides[0], allowH: allow.strides[1] }),
    ...(allow && { allowI: allow.strides[2], allowJ: allow.strides[3], allowStart: starts.allow }),
    low: clamp(offset - left),
    high: clamp(offset + right),
    queryLength: T,
    keyLength: S,
    tensorRow: Math.max(1, shapes.B * H * T),
    ...(program.modification && { sinkStart: tensorPlaces(program.modification).total }),
    threshold: Math.min(dropout?.threshold ?? 0, 2 ** 32 - 1),
    seedLow,
    seedHigh,
    scale: program.scale,
    softCap: program.softCap ?? 0,
    sink: typeof sink === "number" ? sink : 0,
    keepScale: dropout?.keepScale ?? 1,
    infinity: Infinity,
    ...own,
  };
  const examples = tableExamples(program, layout, slice);
  return uniformBytes(values, examples > 0 ? exampleRows(program, layout, slice) : [], examples);
}
