/** What the attention shaders share: which variant a program needs, the head of each shader, and how rows are read. */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../layout.ts";
import { type ModificationText, modificationText, modificationWgsl } from "./modification.ts";
import type { PassBinding } from "./pass.ts";
import { DROPPED, PHILOX } from "./philox.ts";
import type { Slice } from "./slices.ts";
import { tableExamples, uniformStruct } from "./uniforms.ts";

/** What a device can do beyond the least. */
export interface ShaderFeatures {
  /** q, k and v are of float16 (`shader-f16`); scores, sums and results stay float32. @default false */
  readonly half?: boolean;
  /** Rows are reduced by lanes of a subgroup where 8 neighbours share one (`subgroups`). @default false */
  readonly subgroups?: boolean;
}

/** All that a shader's text depends on; everything else is a uniform. */
export interface Variant {
  /** Rows of q and k, and of v and out, of whole vectors of four: those are read as such. */
  readonly aligned: { readonly D: boolean; readonly Dv: boolean };
  /** Chunks of columns that a workgroup keeps of dq and dk, and of dv and out. */
  readonly kept: { readonly D: number; readonly Dv: number };
  readonly bias: boolean;
  readonly allow: boolean;
  readonly softCap: boolean;
  readonly sink: "none" | "number" | "array";
  readonly dropout: boolean;
  readonly packed: boolean;
  /** Examples in the table of the uniforms; 0 where all are alike. */
  readonly examples: number;
  /** Empty rows read the mean of v. */
  readonly uniformRows: boolean;
  readonly half: boolean;
  readonly subgroups: boolean;
  /** scoreMod and maskMod. */
  readonly modification: ModificationText | undefined;
  /** The buffer that has the captured tensors: their own, or one that a pass has in any case, where there is no room for more. */
  readonly tensorsIn: "tensors" | "small" | "rows";
}

export function variantOf(
  program: AttentionProgram<ArrayInfo>,
  layout: Layout,
  slice: Slice,
  { half = false, subgroups = false }: ShaderFeatures,
): Variant {
  const { shapes, sink } = program;
  return {
    aligned: { D: shapes.D % 4 === 0, Dv: shapes.Dv % 4 === 0 },
    kept: { D: Math.min(CHUNKS_KEPT, chunksOf(shapes.D)), Dv: Math.min(CHUNKS_KEPT, chunksOf(shapes.Dv)) },
    bias: program.bias !== undefined,
    allow: program.allow !== undefined,
    softCap: program.softCap !== undefined,
    sink: sink === undefined ? "none" : typeof sink === "number" ? "number" : "array",
    dropout: program.dropout !== undefined,
    packed: layout === "thd",
    examples: tableExamples(program, layout, slice),
    uniformRows: program.onEmptyRow === "uniform",
    half,
    subgroups,
    modification: modificationText(program.modification),
    tensorsIn: "tensors",
  };
}

/** Queries and keys of a tile; 64 threads have 4 × 4 of its scores each. */
export const TILE = 32;
export const THREADS = 64;
/** Columns that a stage of a tile holds. */
export const CHUNK = 32;
/** Chunks of a result that a workgroup keeps in registers: 16 numbers a thread and chunk. */
export const CHUNKS_KEPT = 4;

export const chunksOf = (width: number): number => Math.ceil(width / CHUNK);

/** Arrays whose rows have D or Dv numbers; the others have one number a place. */
const ROWS = { q: "D", k: "D", v: "Dv", out: "Dv", dout: "Dv", dq: "D", dk: "D", dv: "Dv" } as const;
export type RowArray = keyof typeof ROWS;

const isRows = (name: string): name is RowArray => name in ROWS;
const isHalf = (name: string, { half }: Variant) => half && (name === "q" || name === "k" || name === "v");

/** Numbers of a row, in WGSL. */
export const widthOf = (name: RowArray): string => `u.${ROWS[name]}`;

const isAligned = (name: RowArray, { aligned }: Variant) => aligned[ROWS[name]];

function elementType(name: string, variant: Variant): string {
  if (name === "allow" || name === "visits") return "u32";
  if (name === "topKeys") return "i32";
  if (name === "rows") return "vec4f";
  const scalar = isHalf(name, variant) ? "f16" : "f32";
  return isRows(name) && isAligned(name, variant) ? `vec4<${scalar}>` : scalar;
}

/** Directives, uniforms, bindings and what every shader calls. */
export function shaderHead(variant: Variant, bindings: readonly PassBinding[]): string {
  const { half, subgroups, dropout } = variant;
  const lines = bindings.map(
    ({ name, access }, n) =>
      `@group(0) @binding(${n}) var<storage, ${access}> ${name}: array<${elementType(name, variant)}>;`,
  );
  return [
    half ? "enable f16;" : "",
    subgroups ? "enable subgroups;" : "",
    uniformStruct(variant.examples),
    ...lines,
    `@group(0) @binding(${bindings.length}) var<uniform> u: Uniforms;`,
    COMMON,
    exampleText(variant),
    dropout ? PHILOX + DROPPED : "",
    variant.modification?.tensors ? TENSORS[variant.tensorsIn] : "",
    modificationWgsl(variant.modification),
    ...bindings
      .filter(({ access, name }) => access === "read" && isRows(name))
      .map(({ name }) => loadText(name as RowArray, variant)),
    ...bindings
      .filter(({ access, name }) => access === "read_write" && isRows(name))
      .map(({ name }) => storeText(name as RowArray, variant)),
  ].join("\n");
}

/** A number of the captured tensors. */
const TENSORS = {
  tensors: "fn tensorAt(n: u32) -> f32 { return tensors[n]; }",
  small: "fn tensorAt(n: u32) -> f32 { return small[n]; }",
  rows: "fn tensorAt(n: u32) -> f32 { return rows[u32(u.tensorRow) + n / 4u][n % 4u]; }",
} as const;

/** The logit of head h: `small` has the sinks behind the captured tensors. */
export const sinkText = ({ sink, tensorsIn }: Variant): string =>
  sink !== "array" ? "u.sink" : tensorsIn === "small" ? "small[u.sinkStart + h]" : "sink[h]";

const COMMON = /* wgsl */ `
const LARGEST = 3.40282346e+38f;
var<private> li: i32;
var<private> tx: i32;
var<private> ty: i32;

fn place(index: u32) {
  li = i32(index);
  tx = li & 7;
  ty = li >> 3;
}

// Implementations may take it that no number is infinite or NaN, so these read the bits.
fn isInfinite(x: vec4f) -> vec4<bool> { return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) == vec4u(0x7f800000u); }
fn isNegativeInfinite(x: vec4f) -> vec4<bool> { return bitcast<vec4u>(x) == vec4u(0xff800000u); }
fn isWild(x: vec4f) -> bool { return any((bitcast<vec4u>(x) & vec4u(0x7f800000u)) == vec4u(0x7f800000u)); }

// Of 16 bits, bit 4c + r is that of row r and column c of a thread's scores.
fn column(bits: u32, c: u32) -> vec4<bool> {
  return ((vec4u(bits >> (4u * c)) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u)) != vec4u(0u);
}
`;

/** What one example has of its own. */
function exampleText({ examples }: Variant): string {
  const body =
    examples > 0
      ? "let x = u.table[2 * (b - u.b0)]; let y = u.table[2 * (b - u.b0) + 1];\n  return Example(x.x, x.y, x.z, x.w, y.x, y.y);"
      : "return Example(u.queryLength, u.keyLength, u.low, u.high, 0, 0);";
  return `
struct Example { queryLength: i32, keyLength: i32, low: i32, high: i32, queryStart: i32, keyStart: i32 }
fn example(b: i32) -> Example {
  ${body}
}
fn rowOf(e: Example, b: i32, h: i32) -> i32 { return b * u.rExample + h * u.rHead + e.queryStart; }
`;
}

/** Four numbers of the row that begins at `at`, from column `col` on; 0 beyond its width. */
function loadText(name: RowArray, variant: Variant): string {
  const width = widthOf(name);
  const signature = `fn load_${name}(at: i32, col: i32) -> vec4f {\n  if (col >= ${width}) { return vec4f(); }\n`;
  if (isAligned(name, variant)) return `${signature}  return vec4f(${name}[(at + col) / 4]);\n}`;
  const lanes = ["y", "z", "w"].map(
    (lane, n) => `  if (col + ${n + 1} < ${width}) { x.${lane} = f32(${name}[at + col + ${n + 1}]); }`,
  );
  return `${signature}  var x = vec4f(f32(${name}[at + col]), 0.0, 0.0, 0.0);\n${lanes.join("\n")}\n  return x;\n}`;
}

function storeText(name: RowArray, variant: Variant): string {
  const width = widthOf(name);
  const signature = `fn store_${name}(at: i32, col: i32, x: vec4f) {\n  if (col >= ${width}) { return; }\n`;
  if (isAligned(name, variant)) return `${signature}  ${name}[(at + col) / 4] = x;\n}`;
  const lanes = ["y", "z", "w"].map(
    (lane, n) => `  if (col + ${n + 1} < ${width}) { ${name}[at + col + ${n + 1}] = x.${lane}; }`,
  );
  return `${signature}  ${name}[at + col] = x.x;\n${lanes.join("\n")}\n}`;
}

/** The kind of rows that an array has: where its rows begin. */
const STEPS = { q: "q", dq: "q", k: "k", dk: "k", v: "v", dv: "v", out: "o", dout: "o" } as const;

/** The place of row 0 of a head, in WGSL: of query head `h` or key/value head `g`. */
export function headStart(name: RowArray, head: string): string {
  const s = STEPS[name];
  const row = s === "q" || s === "o" ? "e.queryStart" : "e.keyStart";
  return `u.${s}Start + b * u.${s}Example + ${head} * u.${s}Head + ${row} * u.${s}Row`;
}

export const rowStep = (name: RowArray): string => `u.${STEPS[name]}Row`;

const shaders = new Map<string, string>();

/** A shader's text, made once for each variant. */
export function cachedShader(kind: string, variant: object, make: () => string): string {
  const key = kind + JSON.stringify(variant);
  const text = shaders.get(key) ?? make();
  shaders.set(key, text);
  return text;
}

/** How a workgroup for a head of queries begins: its example, its head, and the head of keys that it reads. */
export const QUERY_HEAD = /* wgsl */ `place(index);
  let b = u.b0 + i32(group.y) / u.hn;
  let h = u.h0 + i32(group.y) % u.hn;
  let g = h / u.group;
  let e = example(b);`;

/** Writes lse and what rounding took from it. */
export const LSE = /* wgsl */ `
fn keepLse(row: i32, top: f32, total: f32, seen: bool, valid: bool) {
  let logarithm = log(total);
  var high = top + logarithm;
  var low = (top - high) + logarithm;
  if (top == LARGEST) { high = u.infinity; low = logarithm; }
  if (total == 0.0) { high = -u.infinity; }
  if (!seen) { low = select(0.0, u.infinity, valid); }
  lse[row] = high;
  lse[u.rows + row] = low;
}
`;

/** The variant of a pass that looks at rows alone, and at no score. */
export const ofRows = (variant: Variant): Variant => ({
  ...variant,
  bias: false,
  allow: false,
  softCap: false,
  dropout: false,
  half: false,
  subgroups: false,
  modification: undefined,
  tensorsIn: "tensors",
});
