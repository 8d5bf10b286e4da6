/**
 * Products of tiles, the two that attention is made of, in WGSL. 64 threads stand as 8 × 8; thread (ty, tx) owns rows
 * 4·ty … 4·ty + 3, and columns 4·tx … 4·tx + 3 of scores, or columns 4·tx … of each chunk of 32 of a result.
 *
 *     product      S[32 × 32] = A[32 × width] · B[32 × width]ᵀ     16 dot products of vec4 for 8 reads of workgroup memory
 *     accumulate   O[32 × 32] += P[32 × 32] · X[32 × 32]            16 multiplications by a number for 2 reads
 *
 * A tile in workgroup memory has 32 rows of 8 vec4; column c of row r stands at c ^ (⌊r/4⌋ mod 8), so that eight
 * threads that read a column of eight row groups meet no bank twice. P stands as vec4 of four rows of O: `tp[8·j + ty]`.
 */
import { CHUNK, type RowArray, rowStep, TILE, widthOf } from "./shader.ts";

export const TILES = /* wgsl */ `
var<workgroup> ta: array<vec4f, 256>;
var<workgroup> tb: array<vec4f, 256>;
var<workgroup> tp: array<vec4f, 256>;
var<workgroup> wild: atomic<u32>;
// Counts the stages for accumulate, so that nothing has to be cleared.
var<private> stamp: u32;

// P·X where X has no NaN and nothing infinite; otherwise what has no weight is left out, since 0·NaN is NaN.
fn accumulate(sum: mat4x4f) -> mat4x4f {
  var o = sum;
  if (atomicLoad(&wild) == stamp) {
    for (var j = 0; j < 32; j++) {
      let p = tp[8 * j + ty];
      let x = tb[8 * j + (tx ^ ((j >> 2) & 7))];
      if (p.x != 0.0) { o[0] += p.x * x; }
      if (p.y != 0.0) { o[1] += p.y * x; }
      if (p.z != 0.0) { o[2] += p.z * x; }
      if (p.w != 0.0) { o[3] += p.w * x; }
    }
    return o;
  }
  for (var j = 0; j < 32; j++) {
    let p = tp[8 * j + ty];
    let x = tb[8 * j + (tx ^ ((j >> 2) & 7))];
    o[0] += p.x * x;
    o[1] += p.y * x;
    o[2] += p.z * x;
    o[3] += p.w * x;
  }
  return o;
}
`;

/** Puts one chunk of columns of rows [first, first + 32) of an array into a tile; rows from `end` on are 0. */
function stageText(name: RowArray, tile: "ta" | "tb", checked: boolean): string {
  const check = checked ? "\n    if (isWild(x)) { atomicMax(&wild, stamp); }" : "";
  return /* wgsl */ `
fn ${checked ? "check" : "stage"}_${name}_${tile}(start: i32, first: i32, end: i32, chunk: i32) {
  for (var n = li; n < 256; n += 64) {
    let row = n >> 3;
    let col = n & 7;
    var x = vec4f();
    if (first + row < end) { x = load_${name}(start + (first + row) * ${rowStep(name)}, ${CHUNK} * chunk + 4 * col); }
    ${tile}[8 * row + (col ^ ((row >> 2) & 7))] = x;${check}
  }
}
`;
}

/**
 * `product_ab(aStart, i0, aEnd, bStart, j0, bEnd)`: the products of rows i0 … of a and rows j0 … of b; column c of the
 * matrix has those of the thread's four rows and key 4·tx + c.
 */
export function productText(a: RowArray, b: RowArray): string {
  const columns = [0, 1, 2, 3].map(
    (c) => `      s[${c}] += vec4f(dot(a0, b${c}), dot(a1, b${c}), dot(a2, b${c}), dot(a3, b${c}));`,
  );
  const read = (tile: string, name: string, at: string) =>
    [0, 1, 2, 3].map((r) => `let ${name}${r} = ${tile}[8 * (4 * ${at} + ${r}) + (d ^ ${at})];`).join(" ");
  return /* wgsl */ `${stageText(a, "ta", false)}${stageText(b, "tb", false)}
fn product_${a}_${b}(aStart: i32, i0: i32, aEnd: i32, bStart: i32, j0: i32, bEnd: i32) -> mat4x4f {
  var s = mat4x4f();
  let width = (${widthOf(a)} + 3) / 4;
  for (var chunk = 0; chunk < (width + 7) / 8; chunk++) {
    workgroupBarrier();
    stage_${a}_ta(aStart, i0, aEnd, chunk);
    stage_${b}_tb(bStart, j0, bEnd, chunk);
    workgroupBarrier();
    let vectors = min(8, width - 8 * chunk);
    for (var d = 0; d < vectors; d++) {
      ${read("ta", "a", "ty")}
      ${read("tb", "b", "tx")}
${columns.join("\n")}
    }
  }
  return s;
}
`;
}

/**
 * `weighted_x(sum, start, first, end, chunk)`: sum + P·X of one chunk of columns of x, where P is in `tp`. The first
 * barrier waits for `tp` too.
 */
export function weightedText(name: RowArray): string {
  return /* wgsl */ `${stageText(name, "tb", true)}
fn weighted_${name}(sum: mat4x4f, start: i32, first: i32, end: i32, chunk: i32) -> mat4x4f {
  stamp++;
  workgroupBarrier();
  check_${name}_tb(start, first, end, chunk);
  workgroupBarrier();
  return accumulate(sum);
}
`;
}

/** `tp` with the scores' columns as they are: vec4 of four queries for each key, for sums over keys. */
export const KEEP_BY_KEY = [0, 1, 2, 3].map((c) => `tp[8 * (4 * tx + ${c}) + ty] = p[${c}];`).join(" ");

/** `tp` turned: vec4 of four keys for each query, for sums over queries. */
export const KEEP_BY_QUERY = [0, 1, 2, 3]
  .map((r) => `tp[8 * (4 * ty + ${r}) + tx] = vec4f(p[0][${r}], p[1][${r}], p[2][${r}], p[3][${r}]);`)
  .join(" ");

/** Tiles of `TILE` rows. */
export const tilesOf = (rows: number): number => Math.ceil(rows / TILE);

/** One statement for each of the four columns or rows of a thread, written out: what is indexed stays in registers. */
export function four(statement: (n: number) => string): string {
  return [0, 1, 2, 3].map(statement).join("\n    ");
}

/** One statement for each chunk of a result that a workgroup keeps. */
export function eachChunk(chunks: number, statement: (n: number) => string): string {
  return Array.from({ length: chunks }, (_, n) => statement(n)).join("\n    ");
}
