/**
 * The forward pass in WGSL: a workgroup has 32 queries of one head, walks over tiles of 32 keys that one of them may
 * see, and keeps the largest score m, the sum l of e^(score − m) and the sums of v in registers.
 *
 *     out = Σ_j e^(s_j − m) v_j / l,    lse = m + ln l
 *
 * Buffers: `q k v [bias] [allow] [tensors] [sink] out lse`, float32 but `allow`, which has a word of 32 bits an element. `lse` has
 * 2 · rows numbers: the log-sum-exp of each row, then what rounding to float32 took from each, which is +∞ where the
 * row is no padding and sees no key. Rows stand as `RowLayout.index` says. Where few rows have many keys, splits of the keys
 * work side by side on a scratch buffer `parts`, and a second pass merges them by their m and l.
 * Paper: Dao et al. 2022, arxiv.org/abs/2205.14135, algorithm 1; the splits are Flash-Decoding's.
 */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../layout.ts";
import { copyPass } from "./captured.ts";
import { type Merge, mergePass, PART_WIDTH, splitsOf } from "./decode.ts";
import { beginTile, maskText } from "./mask.ts";
import { tensorBinding, tensorPlaces } from "./modification.ts";
import { BASE_LIMITS, type PassBinding, type PassLimits, type PassPlan, type ShaderPass } from "./pass.ts";
import { reduceText } from "./reduce.ts";
import {
  CHUNKS_KEPT,
  cachedShader,
  chunksOf,
  headStart,
  LSE,
  QUERY_HEAD,
  rowStep,
  type ShaderFeatures,
  shaderHead,
  sinkText,
  THREADS,
  type Variant,
  variantOf,
} from "./shader.ts";
import { bindingOf, type Slice, scoreBindings, slicesOf } from "./slices.ts";
import { eachChunk, four, KEEP_BY_KEY, productText, TILES, tilesOf, weightedText } from "./tile.ts";
import { programUniforms } from "./uniforms.ts";

type Program = AttentionProgram<ArrayInfo>;

/** Where a program runs. */
export interface PassOptions extends ShaderFeatures {
  /** @default what every device of WebGPU has */
  readonly limits?: PassLimits;
  /**
   * Each workgroup of the forward pass leaves the number of tiles of scores that it has computed in a buffer `visits` of words of
   * 32 bits, in the order of heads, then of queries. @default false
   */
  readonly visits?: boolean;
}

/** The storage buffers that a forward pass reads. */
function inputBindings(program: Program, slice: Slice, half: boolean, isElsewhere: boolean): PassBinding[] {
  const bytes = half ? 2 : 4;
  return [
    bindingOf(slice, "q", "read", "q", bytes),
    bindingOf(slice, "k", "read", "k", bytes),
    bindingOf(slice, "v", "read", "v", bytes),
    ...scoreBindings(program, slice, isElsewhere),
  ];
}

/** Captured tensors and sinks in one buffer: with bias and allow each in its own they would be nine, and devices promise eight. */
function smallPasses({ modification, shapes }: Program): ShaderPass[] {
  const { total } = tensorPlaces(modification!);
  return [
    copyPass({ from: "tensors", to: "small", first: 0, count: total }),
    copyPass({ from: "sink", to: "small", first: total, count: shapes.H }),
  ];
}

/**
 * The passes of a forward call.
 *
 * @throws OptionError LIMIT where the device's limits are too small for one head
 * @example
 * const shapes = { B: 1, T: 65536, S: 65536, H: 1, Hkv: 1, D: 64, Dv: 64 };
 * forwardPasses(compileProgram("attention", shapes, { causal: true }), "bhtd").passes.length; // 1
 */
export function forwardPasses(program: Program, layout: Layout, options: PassOptions = {}): PassPlan {
  const { limits = BASE_LIMITS, half = false } = options;
  const { T, B, H, Dv } = program.shapes;
  if (B * T === 0) return { passes: [], scratch: {} };
  const { bias, allow, sink, modification } = program;
  const isCrowded = bias && allow && typeof sink === "object" && tensorBinding({ modification }).length > 0;
  const passes: ShaderPass[] = isCrowded ? smallPasses(program) : [];
  const scratch: Record<string, number> = {};
  if (isCrowded) scratch.small = 4 * (tensorPlaces(modification!).total + H);
  for (const slice of slicesOf(program, layout, limits)) {
    const variant: Variant = {
      ...variantOf(program, layout, slice, options),
      tensorsIn: isCrowded ? "small" : "tensors",
    };
    const merge = splitsOf(program, slice, limits);
    const inputs = inputBindings(program, slice, half, isCrowded === true);
    const sinks: PassBinding[] = variant.sink === "array" ? [{ name: "sink", access: "read" }] : [];
    const small: PassBinding[] = [{ name: "small", access: "read" }];
    const counter: PassBinding[] = options.visits ? [{ name: "visits", access: "read_write" }] : [];
    const results: PassBinding[] = [
      bindingOf(slice, "out", "read_write", "out"),
      { name: "lse", access: "read_write" },
    ];
    const bindings = merge
      ? [...inputs, ...(isCrowded ? small : []), { name: "parts", access: "read_write" as const }, ...counter]
      : [...inputs, ...(isCrowded ? small : sinks), ...results, ...counter];
    const heads = slice.bn * slice.gn * (H / program.shapes.Hkv);
    const chunks = Math.ceil(chunksOf(Dv) / CHUNKS_KEPT);
    passes.push({
      label: "attention forward",
      code: cachedShader("forward", { ...variant, split: merge !== undefined, visits: options.visits }, () =>
        forwardShader(variant, bindings, merge !== undefined),
      ),
      bindings,
      uniforms: programUniforms(program, layout, slice, {
        splits: merge?.splits ?? 1,
        splitTiles: merge?.tiles ?? tilesOf(program.shapes.S),
      }),
      workgroups: [tilesOf(T) * (merge?.splits ?? 1), heads, chunks],
    });
    if (!merge) continue;
    scratch.parts = Math.max(scratch.parts ?? 0, merge.bytes);
    passes.push(mergePass(program, layout, slice, variant, merge as Merge, [...sinks, ...results]));
  }
  return { passes, scratch };
}

/** The scores of one tile, from products to what the softmax sees; `shown` has the bits of those that are visible. */
const scoreTile = (variant: Variant, counted: boolean) => `
    ${beginTile(variant, "keys")}${counted ? "\n    computed++;" : ""}
    var s = scoresOf(product_q_k(qStart, i0, qEnd, kStart, j0, e.keyLength), b, h, i0, j0);
    let shown = shownOf(s, visibles);
    s = finite(s);`;

/** Rows that see no key read the mean of v: one more walk over all keys, where there is such a row. */
function uniformWalk(variant: Variant, chunks: number): string {
  if (!variant.uniformRows) return "";
  return `
  let hollow = select(vec4<bool>(), vec4i(i0 + 4 * ty) + vec4i(0, 1, 2, 3) < vec4i(e.queryLength), l == vec4f());
  let isHollow = anywhere(select(0u, 1u, any(hollow)));
  let mean = select(l, vec4f(f32(max(e.keyLength, 1))), hollow);
  if (isHollow) {
    for (var t = 0; t < (e.keyLength + 31) / 32; t++) {
      let j0 = 32 * t;
      var p = mat4x4f();
      ${four((c) => `p[${c}] = select(vec4f(), vec4f(1.0), hollow & vec4<bool>(j0 + 4 * tx + ${c} < e.keyLength));`)}
      ${dropText(variant)}
      workgroupBarrier();
      ${KEEP_BY_KEY}
    ${eachChunk(chunks, (n) => `  o${n} = weighted_v(o${n}, vStart, j0, e.keyLength, chunk0 + ${n});`)}
    }
  }`;
}

const dropText = ({ dropout }: Variant) =>
  dropout
    ? `let lost = dropped(b, h, i0, j0);\n    ${four((c) => `p[${c}] = select(p[${c}], vec4f(), column(lost, ${c}u));`)}`
    : "";

/** What a workgroup leaves: its sums for a merge, or the result. */
function resultText(variant: Variant, split: boolean, chunks: number): string {
  if (split) {
    return `
  let i = i0 + 4 * ty;
  let partWidth = ${PART_WIDTH};
  ${four(
    (r) => `if (i + ${r} < rowsEnd) {
    let at = (((b * u.H + h) * u.T + i + ${r}) * u.splits + split) * partWidth;
    ${eachChunk(chunks, (n) => `keepPart(at + 4 + 32 * (chunk0 + ${n}) + 4 * tx, o${n}[${r}]);`)}
    if (tx == 0 && chunk0 == 0) { parts[at] = m[${r}]; parts[at + 1] = l[${r}]; }
  }`,
  )}`;
  }
  const sink = sinkText(variant);
  const total = variant.uniformRows ? "mean" : "l";
  return `
  let seen = l != vec4f();
  let divisor = select(${total}, vec4f(1.0), ${total} == vec4f());
  var top = m;
  var total = l;
  var factor = u.keepScale / divisor;
  ${
    variant.sink === "none"
      ? ""
      : `let logit = ${sink};
  top = max(m, vec4f(logit));
  let change = select(vec4f(), exp(m - top), seen);
  total = l * change + exp(vec4f(logit) - top);
  factor = select(factor, u.keepScale * change / total, seen);`
  }
  let i = i0 + 4 * ty;
  ${four(
    (r) => `if (i + ${r} < rowsEnd) {
    let at = oStart + (i + ${r}) * ${rowStep("out")};
    ${eachChunk(chunks, (n) => `store_out(at, 32 * (chunk0 + ${n}) + 4 * tx, o${n}[${r}] * factor[${r}]);`)}
  }`,
  )}
  if (tx == 0 && chunk0 == 0) {
    ${four((r) => `if (i + ${r} < rowsEnd) { keepLse(rowOf(e, b, h) + i + ${r}, top[${r}], total[${r}], seen[${r}], i + ${r} < e.queryLength); }`)}
  }`;
}

const KEEP_PART = /* wgsl */ `
fn keepPart(at: i32, x: vec4f) {
  parts[at] = x.x;
  parts[at + 1] = x.y;
  parts[at + 2] = x.z;
  parts[at + 3] = x.w;
}
`;

function forwardShader(variant: Variant, bindings: readonly PassBinding[], split: boolean): string {
  const counted = bindings.some(({ name }) => name === "visits");
  const chunks = variant.kept.Dv;
  const rowsEnd = variant.packed ? "e.queryLength" : "u.T";
  return /* wgsl */ `${shaderHead(variant, bindings)}
${maskText(variant)}${TILES}${productText("q", "k")}${weightedText("v")}${reduceText(variant)}
${split ? KEEP_PART : LSE}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${QUERY_HEAD}
  let split = i32(group.x) % u.splits;
  let i0 = 32 * (i32(group.x) / u.splits);
  let chunk0 = ${CHUNKS_KEPT} * i32(group.z);
  let rowsEnd = ${rowsEnd};
  let qEnd = e.queryLength;
  let qStart = ${headStart("q", "h")};
  let kStart = ${headStart("k", "g")};
  let vStart = ${headStart("v", "g")};
  ${split ? "" : `let oStart = ${headStart("out", "h")};`}
  // Keys that lengths and band leave to one of the queries.
  let last = min(i0 + 31, qEnd - 1);
  let firstKey = max(0, i0 + e.low);
  let endKey = select(0, min(e.keyLength, last + e.high + 1), i0 < qEnd);
  let firstTile = max(firstKey / 32, split * u.splitTiles);
  let endTile = min((endKey + 31) / 32, (split + 1) * u.splitTiles);
  let width = laneWidth();
  var m = vec4f(-LARGEST);
  var l = vec4f();
  ${counted ? "var computed = 0u;" : ""}
  ${eachChunk(chunks, (n) => `var o${n} = mat4x4f();`)}
  for (var t = firstTile; t < endTile; t++) {
    let j0 = 32 * t;${scoreTile(variant, counted)}
    var most = vec4f(-LARGEST);
    ${four((c) => `most = max(most, select(vec4f(-LARGEST), s[${c}], column(shown, ${c}u)));`)}
    most = max(m, rowMax(most, width));
    let change = exp(m - most);
    m = most;
    l *= change;
    var p = mat4x4f();
    ${four((c) => `p[${c}] = select(vec4f(), exp(s[${c}] - m), column(shown, ${c}u));`)}
    l += p[0] + p[1] + p[2] + p[3];
    ${dropText(variant)}
    ${KEEP_BY_KEY}
    ${eachChunk(
      chunks,
      (
        n,
      ) => `o${n} = mat4x4f(change.x * o${n}[0], change.y * o${n}[1], change.z * o${n}[2], change.w * o${n}[3]);
    o${n} = weighted_v(o${n}, vStart, j0, e.keyLength, chunk0 + ${n});`,
    )}
  }
  l = rowSum(l, width);${uniformWalk(variant, chunks)}${resultText(variant, split, chunks)}
  ${counted ? "if (li == 0 && chunk0 == 0) { visits[i32(group.y) * ((u.T + 31) / 32) * u.splits + i32(group.x)] = computed; }" : ""}
}
`;
}
