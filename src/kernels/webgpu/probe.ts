/**
 * Statistics of the weights in WGSL, from q, k and what the forward pass kept, a tile at a time: no weights are stored.
 *
 *     entropy   −Σ_j w ln w of each query, in nats
 *     topK      the largest weights above 0 of each query and their keys, the lowest key first among equals
 *
 * Buffers: `q k [bias] [allow] [tensors] lse` → `entropy` [B, H, T], or `topWeights` and `topKeys` [B, H, T, k], the keys int32 and −1
 * where fewer than k weights are above 0. Weights are those of `weights.ts`: before dropout, without the sink's share, equal ones in
 * rows that read the mean of v. A workgroup has 32 queries of a head; of the largest weights a thread keeps those of one query.
 */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../layout.ts";
import type { PassOptions } from "./forward.ts";
import { KEPT_ROWS, keptBindings } from "./kept.ts";
import { beginTile, maskText } from "./mask.ts";
import { BASE_LIMITS, type PassBinding, type PassPlan } from "./pass.ts";
import { reduceText } from "./reduce.ts";
import {
  cachedShader,
  headStart,
  QUERY_HEAD,
  shaderHead,
  THREADS,
  type Variant,
  variantOf,
} from "./shader.ts";
import { slicesOf } from "./slices.ts";
import { four, KEEP_BY_KEY, productText, TILES, tilesOf } from "./tile.ts";
import { programUniforms } from "./uniforms.ts";

export interface ProbeOptions extends PassOptions {
  /** @default false */
  readonly entropy?: boolean;
  /** How many of the largest weights of each query. @default none */
  readonly topK?: number;
}

/**
 * The passes that find out what is asked for.
 *
 * @throws OptionError LIMIT where the device's limits are too small for one head
 * @example
 * const shapes = { B: 1, T: 33, S: 65, H: 3, Hkv: 1, D: 8, Dv: 8 };
 * probePasses(compileProgram("attention", shapes), "bhtd", { entropy: true }).passes[0].workgroups; // [2, 3, 1]
 */
export function probePasses(
  program: AttentionProgram<ArrayInfo>,
  layout: Layout,
  { entropy = false, topK = 0, ...options }: ProbeOptions,
): PassPlan {
  const { limits = BASE_LIMITS, half = false } = options;
  const { T, H, Hkv } = program.shapes;
  const bytes = half ? 2 : 4;
  const wanted = [...(entropy ? (["entropy"] as const) : []), ...(topK > 0 ? (["top"] as const) : [])];
  const passes = slicesOf(program, layout, limits).flatMap((slice) =>
    wanted.map((what) => {
      // What dropout and values are plays no part.
      const variant = { ...variantOf(program, layout, slice, options), dropout: false };
      const results = what === "top" ? ["topWeights", "topKeys"] : ["entropy"];
      const bindings: PassBinding[] = [
        ...keptBindings(program, slice, bytes),
        ...results.map((name) => ({ name, access: "read_write" as const })),
      ];
      return {
        label: `attention ${what}`,
        code: cachedShader(`probe ${what}`, variant, () => probeShader(variant, bindings, what === "top")),
        bindings,
        // The field adds is here how many weights are kept.
        uniforms: programUniforms(program, layout, slice, { adds: topK }),
        workgroups: [tilesOf(T), slice.bn * slice.gn * (H / Hkv), 1] as const,
      };
    }),
  );
  return { passes: passes.filter(({ workgroups }) => !workgroups.includes(0)), scratch: {} };
}

/** Puts a weight into its row's list, which falls; equal ones stay in the order of their keys. */
const INSERT = /* wgsl */ `
fn insert(first: i32, w: f32, key: i32) {
  if (!(w > topWeights[first + u.adds - 1])) { return; }
  var n = u.adds - 1;
  for (; n > 0; n--) {
    let before = topWeights[first + n - 1];
    if (before >= w) { break; }
    topWeights[first + n] = before;
    topKeys[first + n] = topKeys[first + n - 1];
  }
  topWeights[first + n] = w;
  topKeys[first + n] = key;
}
`;

function probeShader(variant: Variant, bindings: readonly PassBinding[], top: boolean): string {
  const { uniformRows } = variant;
  const range = uniformRows
    ? "let firstTile = 0;\n  let endTile = (e.keyLength + 31) / 32;"
    : `let firstTile = max(0, i0 + e.low) / 32;
  let endKey = select(0, min(e.keyLength, min(i0 + 31, e.queryLength - 1) + e.high + 1), i0 < e.queryLength);
  let endTile = (endKey + 31) / 32;`;
  const keys = (c: number) => `kept.hollow & vec4<bool>(j0 + 4 * tx + ${c} < e.keyLength)`;
  const sum = four(
    (c) => `y = (s[${c}] - kept.high) - kept.low;
    ${uniformRows ? `y = select(y, vec4f(-log(f32(max(e.keyLength, 1)))), ${keys(c)});` : ""}
    total -= select(vec4f(), p[${c}] * y, p[${c}] != vec4f());`,
  );
  const keep = `workgroupBarrier();
    ${KEEP_BY_KEY}
    workgroupBarrier();
    if (isMine) {
      for (var j = 0; j < min(32, e.keyLength - j0); j++) { insert(first, tp[8 * j + (li >> 2)][li & 3], j0 + j); }
    }`;
  return /* wgsl */ `${shaderHead(variant, bindings)}
${maskText(variant)}${TILES}${productText("q", "k")}${KEPT_ROWS}${top ? INSERT : reduceText(variant)}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${QUERY_HEAD}
  let i0 = 32 * i32(group.x);
  let qStart = ${headStart("q", "h")};
  let kStart = ${headStart("k", "g")};
  let kept = keptOf(e, b, h, i0 + 4 * ty);
  ${range}
  ${
    top
      ? `let isMine = li < 32 && i0 + li < u.T;
  let first = ((b * u.H + h) * u.T + i0 + li) * u.adds;
  for (var n = 0; isMine && n < u.adds; n++) { topWeights[first + n] = 0.0; topKeys[first + n] = -1; }`
      : "let width = laneWidth();\n  var total = vec4f();\n  var y: vec4f;"
  }
  for (var t = firstTile; t < endTile; t++) {
    let j0 = 32 * t;
    ${beginTile(variant, "keys", uniformRows ? "any(kept.hollow)" : "")}
    var s = scoresOf(product_q_k(qStart, i0, e.queryLength, kStart, j0, e.keyLength), b, h, i0, j0);
    let shown = shownOf(s, visibles);
    s = finite(s);
    var p = mat4x4f();
    ${four((c) => `p[${c}] = select(vec4f(), exp((s[${c}] - kept.high) - kept.low), column(shown, ${c}u));`)}
    ${uniformRows ? four((c) => `p[${c}] = select(p[${c}], vec4f(1.0 / f32(max(e.keyLength, 1))), ${keys(c)});`) : ""}
    ${top ? keep : sum}
  }
  ${
    top
      ? ""
      : `total = rowSum(total, width);
  let i = i0 + 4 * ty;
  if (tx == 0) {
    ${four((r) => `if (i + ${r} < u.T) { entropy[(b * u.H + h) * u.T + i + ${r}] = total[${r}]; }`)}
  }`
  }
}
`;
}
