/**
 * The backward pass in WGSL, without atomics: every number of a gradient is summed by one thread, in an order that the
 * shapes alone decide, so the same inputs give the same bits.
 *
 *     rows     a thread a query: r = Σ_c dout·out, and lse as the passes below want it
 *     dk, dv   a workgroup 32 keys of one key/value head, over its query heads and their tiles of queries
 *     dq       a workgroup 32 queries of one head, over tiles of keys
 *
 * Buffers: `q k v [bias] [allow] [tensors] [sink] out lse dout [dlse]` as the forward pass has them → `dq dk dv [dbias] [dsink]`
 * and `dtensorN` for each of `learnedOf(modification)`, with scratch between them. Devices promise eight buffers: with a bias and
 * allow at once dk and dv are two dispatches, and with captured tensors besides those are copied behind `rows`.
 * Paper: Dao 2023, arxiv.org/abs/2307.08691, algorithm 2, with dq in a walk of its own in place of atomic sums.
 */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../layout.ts";
import { biasGradientPasses } from "./bias-gradient.ts";
import { copyPass } from "./captured.ts";
import type { PassOptions } from "./forward.ts";
import { beginGradients, gradientTileText, type Wanted } from "./gradient-tile.ts";
import { learnedPasses } from "./learned-gradient.ts";
import { tensorBinding, tensorPlaces } from "./modification.ts";
import { BASE_LIMITS, type PassBinding, type PassPlan, type ShaderPass } from "./pass.ts";
import { rowsPass } from "./row-gradients.ts";
import {
  CHUNKS_KEPT,
  cachedShader,
  chunksOf,
  headStart,
  QUERY_HEAD,
  type RowArray,
  rowStep,
  shaderHead,
  THREADS,
  type Variant,
  variantOf,
} from "./shader.ts";
import { sinkGradientPass } from "./sink-gradient.ts";
import { bindingOf, type Slice, scoreBindings, slicesOf } from "./slices.ts";
import { eachChunk, four, KEEP_BY_KEY, KEEP_BY_QUERY, tilesOf, weightedText } from "./tile.ts";
import { programUniforms } from "./uniforms.ts";

type Program = AttentionProgram<ArrayInfo>;

export interface BackwardOptions extends PassOptions {
  /** There is a gradient of lse, a buffer `dlse`. @default false */
  readonly dlse?: boolean;
}

/** Whether the captured tensors are behind `rows`, since the passes over tiles have no buffer left for them. */
const areBehindRows = ({ bias, allow, modification }: Program): boolean =>
  bias !== undefined && allow !== undefined && tensorBinding({ modification }).length > 0;

/** The variant of the passes over tiles. */
export const tileVariant = (
  program: Program,
  layout: Layout,
  slice: Slice,
  options: PassOptions,
): Variant => ({
  ...variantOf(program, layout, slice, { ...options, subgroups: false }),
  tensorsIn: areBehindRows(program) ? "rows" : "tensors",
});

/** What the passes over tiles read. */
export function tileBindings(program: Program, slice: Slice, half: boolean, withV = true): PassBinding[] {
  const bytes = half ? 2 : 4;
  return [
    bindingOf(slice, "q", "read", "q", bytes),
    bindingOf(slice, "k", "read", "k", bytes),
    ...(withV ? [bindingOf(slice, "v", "read", "v", bytes)] : []),
    bindingOf(slice, "dout", "read", "out"),
    { name: "rows", access: "read" },
    ...scoreBindings(program, slice, areBehindRows(program)),
  ];
}

/** Where the rows of a head begin, as functions. */
export const starts = (withV = true) => /* wgsl */ `
fn qStart(e: Example, b: i32, h: i32) -> i32 { return ${headStart("q", "h")}; }
fn kStart(e: Example, b: i32, g: i32) -> i32 { return ${headStart("k", "g")}; }
fn oStart(e: Example, b: i32, h: i32) -> i32 { return ${headStart("out", "h")}; }
${withV ? `fn vStart(e: Example, b: i32, g: i32) -> i32 { return ${headStart("v", "g")}; }` : ""}`;

/**
 * The passes of a backward call.
 *
 * @throws OptionError LIMIT where the device's limits are too small for one head
 * @example
 * const shapes = { B: 1, T: 512, S: 512, H: 8, Hkv: 8, D: 64, Dv: 64 };
 * backwardPasses(compileProgram("attention", shapes, { causal: true }), "bhtd").passes.length; // 3
 */
export function backwardPasses(program: Program, layout: Layout, options: BackwardOptions = {}): PassPlan {
  const { limits = BASE_LIMITS, half = false, dlse = false } = options;
  const { B, T, S, H, Hkv, D, Dv } = program.shapes;
  const scratch: Record<string, number> = { rows: Math.max(16, 16 * B * H * T) };
  const passes: ShaderPass[] = [];
  if (areBehindRows(program)) {
    const { total } = tensorPlaces(program.modification!);
    passes.push(copyPass({ from: "tensors", to: "rows", first: scratch.rows! / 4, count: total }));
    scratch.rows! += 16 * Math.ceil(total / 4);
  }
  const slices = slicesOf(program, layout, limits);
  for (const slice of slices) {
    const variant = tileVariant(program, layout, slice, options);
    const uniforms = programUniforms(program, layout, slice);
    const queryHeads = slice.bn * slice.gn * (H / Hkv);
    if (T > 0) passes.push(rowsPass({ program, slice, variant, uniforms, dlse, heads: queryHeads }));
    if (S > 0) {
      // Six buffers and two results are what every device binds.
      const isWide = tileBindings(program, slice, half).length > 6;
      for (const names of isWide ? [["dk"], ["dv"]] : [["dk", "dv"]]) {
        const withV = names.includes("dk");
        const bindings = [
          ...tileBindings(program, slice, half, withV),
          ...names.map((name) => bindingOf(slice, name, "read_write", name === "dk" ? "k" : "v")),
        ];
        const width = Math.max(...names.map((name) => (name === "dk" ? D : Dv)));
        passes.push({
          label: `attention ${names.join(", ")}`,
          code: cachedShader(names.join(), variant, () => keysShader(variant, bindings, names)),
          bindings,
          uniforms,
          workgroups: [tilesOf(S), slice.bn * slice.gn, Math.ceil(chunksOf(width) / CHUNKS_KEPT)],
        });
      }
    }
    if (T > 0) {
      const bindings = [...tileBindings(program, slice, half), bindingOf(slice, "dq", "read_write", "q")];
      passes.push({
        label: "attention dq",
        code: cachedShader("dq", variant, () => queriesShader(variant, bindings)),
        bindings,
        uniforms,
        workgroups: [tilesOf(T), queryHeads, Math.ceil(chunksOf(D) / CHUNKS_KEPT)],
      });
    }
  }
  if (program.bias) passes.push(...biasGradientPasses(program, layout, slices, options));
  if (program.sink !== undefined) {
    scratch.sinkRows = Math.max(16, 4 * B * H * T);
    passes.push(sinkGradientPass(program, layout, slices[0]!));
  }
  const learned = learnedPasses(program, layout, slices, options);
  if (learned.bytes > 0) scratch.tensorParts = learned.bytes;
  const all = [...passes, ...learned.passes].filter(({ workgroups }) => !workgroups.includes(0));
  return { passes: all, scratch };
}

/** Keys of a tile, over all queries that may see one of them. */
function keysShader(variant: Variant, bindings: readonly PassBinding[], names: readonly string[]): string {
  const [dk, dv] = [names.includes("dk"), names.includes("dv")];
  const wanted: Wanted = { weights: dv, products: dk, scores: false };
  const sums = [
    ...(dv ? [{ name: "dv", source: "dout", part: "weights", chunks: variant.kept.Dv } as const] : []),
    ...(dk ? [{ name: "dk", source: "q", part: "dproducts", chunks: variant.kept.D } as const] : []),
  ];
  const range = variant.uniformRows
    ? "let firstTile = 0;\n    let endTile = (e.queryLength + 31) / 32;"
    : `let firstTile = max(0, j0 - e.high) / 32;
    let endTile = (min(e.queryLength, min(j0 + 31, e.keyLength - 1) - e.low + 1) + 31) / 32;`;
  const start = { dout: "oStart(e, b, h)", q: "qStart(e, b, h)" };
  const end = variant.packed ? "e.keyLength" : "u.S";
  return /* wgsl */ `${shaderHead(variant, bindings)}
${gradientTileText(variant, wanted)}${starts(dk)}
${sums.map(({ source }) => weightedText(source)).join("")}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  place(index);
  let b = u.b0 + i32(group.y) / u.gn;
  let g = u.g0 + i32(group.y) % u.gn;
  let e = example(b);
  let j0 = 32 * i32(group.x);
  let chunk0 = ${CHUNKS_KEPT} * i32(group.z);
  ${sums.map(({ name, chunks }) => eachChunk(chunks, (n) => `var ${name}${n} = mat4x4f();`)).join("\n  ")}
  let tiles = select(0, u.group, j0 < e.keyLength);
  for (var n = 0; n < tiles; n++) {
    let h = g * u.group + n;
    ${range}
    for (var t = firstTile; t < endTile; t++) {
      let i0 = 32 * t;
      ${beginGradients(variant, "queries", dv)}
      let tile = tileGradients(e, b, h, g, i0, j0, visibles);
      var p = mat4x4f();
      ${sums
        .map(
          ({ name, source, part, chunks }) => `p = tile.${part};
      workgroupBarrier();
      ${KEEP_BY_QUERY}
      ${eachChunk(chunks, (c) => `${name}${c} = weighted_${source}(${name}${c}, ${start[source]}, i0, e.queryLength, chunk0 + ${c});`)}`,
        )
        .join("\n      ")}
    }
  }
  ${sums.map(({ name, chunks }) => storeRows(name, headStart(name, "g"), "j0", end, chunks)).join("\n  ")}
}
`;
}

/** Writes a thread's four rows of a result. */
function storeRows(name: RowArray, start: string, first: string, end: string, chunks: number): string {
  return four(
    (r) => `if (${first} + 4 * ty + ${r} < ${end}) {
    let at = ${start} + (${first} + 4 * ty + ${r}) * ${rowStep(name)};
    ${eachChunk(chunks, (n) => `store_${name}(at, 32 * (chunk0 + ${n}) + 4 * tx, ${name}${n}[${r}]);`)}
  }`,
  );
}

/** Queries of a tile, over all keys that one of them may see. */
function queriesShader(variant: Variant, bindings: readonly PassBinding[]): string {
  const chunks = variant.kept.D;
  return /* wgsl */ `${shaderHead(variant, bindings)}
${gradientTileText(variant, { weights: false, products: true, scores: false })}${starts()}${weightedText("k")}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${QUERY_HEAD}
  let i0 = 32 * i32(group.x);
  let chunk0 = ${CHUNKS_KEPT} * i32(group.z);
  ${eachChunk(chunks, (n) => `var dq${n} = mat4x4f();`)}
  let firstTile = max(0, i0 + e.low) / 32;
  let endKey = select(0, min(e.keyLength, min(i0 + 31, e.queryLength - 1) + e.high + 1), i0 < e.queryLength);
  for (var t = firstTile; t < (endKey + 31) / 32; t++) {
    let j0 = 32 * t;
    ${beginGradients(variant, "keys")}
    let tile = tileGradients(e, b, h, g, i0, j0, visibles);
    let p = tile.dproducts;
    ${KEEP_BY_KEY}
    ${eachChunk(chunks, (n) => `dq${n} = weighted_k(dq${n}, kStart(e, b, g), j0, e.keyLength, chunk0 + ${n});`)}
  }
  ${storeRows("dq", headStart("dq", "h"), "i0", variant.packed ? "e.queryLength" : "u.T", chunks)}
}
`;
}
