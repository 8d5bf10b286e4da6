/**
 * The weights in WGSL, from q, k and what the forward pass kept: weights_ij = e^(score_ij − lse_i), a workgroup a tile of
 * 32 × 32. Buffers: `q k [bias] [allow] [tensors] lse` → `weights` [B, H, T, S], before dropout and without the sink's share; 0 where
 * a key is not seen, and 1/keys in the rows that read the mean of v. Of chosen queries alone they are [B, H, queries, S].
 */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../layout.ts";
import type { PassOptions } from "./forward.ts";
import { KEPT_ROWS, keptBindings } from "./kept.ts";
import { maskText } from "./mask.ts";
import { BASE_LIMITS, type PassBinding, type PassPlan } from "./pass.ts";
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
import { four, productText, TILES, tilesOf } from "./tile.ts";
import { programUniforms } from "./uniforms.ts";

export interface WeightsOptions extends PassOptions {
  /** Queries whose weights are wanted, a pass for each. @default all, in one pass */
  readonly rows?: readonly number[] | undefined;
}

/**
 * The passes that write the weights of a call.
 *
 * @throws OptionError LIMIT where the device's limits are too small for one head
 * @example
 * const shapes = { B: 1, T: 33, S: 65, H: 3, Hkv: 1, D: 8, Dv: 8 };
 * weightsPasses(compileProgram("attention", shapes), "bhtd").passes[0].workgroups; // [2, 3, 3]
 */
export function weightsPasses(
  program: AttentionProgram<ArrayInfo>,
  layout: Layout,
  { rows, ...options }: WeightsOptions = {},
): PassPlan {
  const { limits = BASE_LIMITS, half = false } = options;
  const { T, S, H, Hkv } = program.shapes;
  const bytes = half ? 2 : 4;
  const passes = slicesOf(program, layout, limits).flatMap((slice) => {
    // What dropout and values are plays no part.
    const variant = { ...variantOf(program, layout, slice, options), dropout: false };
    const bindings: PassBinding[] = [
      ...keptBindings(program, slice, bytes),
      { name: "weights", access: "read_write" },
    ];
    const isChosen = rows !== undefined;
    const code = cachedShader(`weights ${isChosen}`, variant, () =>
      weightsShader(variant, bindings, isChosen),
    );
    const heads = slice.bn * slice.gn * (H / Hkv);
    // The fields of splits are here how many queries were chosen, and which; adds is its place among them.
    const chosen = rows?.map((row, n) => ({ splits: rows.length, splitTiles: row, adds: n }));
    return (chosen ?? [{}]).map((own) => ({
      label: "attention weights",
      code,
      bindings,
      uniforms: programUniforms(program, layout, slice, own),
      workgroups: [isChosen ? 1 : tilesOf(T), heads, tilesOf(S)] as const,
    }));
  });
  return { passes: passes.filter(({ workgroups }) => !workgroups.includes(0)), scratch: {} };
}

function weightsShader(variant: Variant, bindings: readonly PassBinding[], isChosen: boolean): string {
  const { uniformRows } = variant;
  return /* wgsl */ `${shaderHead(variant, bindings)}
${maskText(variant)}${TILES}${productText("q", "k")}${KEPT_ROWS}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${QUERY_HEAD}
  let i0 = ${isChosen ? "32 * (u.splitTiles / 32)" : "32 * i32(group.x)"};
  let j0 = 32 * i32(group.z);
  let qStart = ${headStart("q", "h")};
  let kStart = ${headStart("k", "g")};
  let s = scoresOf(product_q_k(qStart, i0, e.queryLength, kStart, j0, e.keyLength), b, h, i0, j0);
  let shown = shownOf(s, visible(e, b, h, i0, j0));
  let scores = finite(s);
  let kept = keptOf(e, b, h, i0 + 4 * ty);
  for (var r = 0; r < 4; r++) {
    let i = i0 + 4 * ty + r;
    if (i >= u.T) { break; }
    ${isChosen ? "if (i != u.splitTiles) { continue; }" : ""}
    let share = ${uniformRows ? "select(0.0, 1.0 / f32(max(e.keyLength, 1)), kept.hollow[r])" : "0.0"};
    let at = ((b * u.H + h) * ${isChosen ? "u.splits + u.adds" : "u.T + i"}) * u.S;
    ${four((c) => {
      const j = `j0 + 4 * tx + ${c}`;
      const bit = `((shown >> u32(${4 * c} + r)) & 1u) == 1u`;
      return `if (${j} < u.S) {
      let empty${c} = select(0.0, share, ${j} < e.keyLength);
      weights[at + ${j}] = select(empty${c}, exp((scores[${c}][r] - kept.high[r]) - kept.low[r]), ${bit});
    }`;
    })}
  }
}
`;
}
