/**
 * Few queries and many keys, as in decoding: one workgroup a head would leave a device idle, so splits of the keys work
 * side by side, each leaving its largest score m, its sum l and its sums of v; a second pass merges them:
 *
 *     m = max_n m_n,    l = Σ_n e^(m_n − m) l_n,    out = Σ_n e^(m_n − m) o_n / l
 */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../layout.ts";
import type { PassBinding, PassLimits, ShaderPass } from "./pass.ts";
import {
  cachedShader,
  chunksOf,
  headStart,
  LSE,
  ofRows,
  rowStep,
  shaderHead,
  sinkText,
  type Variant,
} from "./shader.ts";
import type { Slice } from "./slices.ts";
import { tilesOf } from "./tile.ts";
import { programUniforms } from "./uniforms.ts";

type Program = AttentionProgram<ArrayInfo>;

export interface Merge {
  readonly splits: number;
  /** Tiles of keys in each. */
  readonly tiles: number;
  /** Of the scratch buffer. */
  readonly bytes: number;
}

/** Workgroups that keep a large device busy; tiles that a split should have at least; queries that count as few. */
const BUSY_GROUPS = 512;
const LEAST_TILES = 4;
const FEW_QUERIES = 64;

/** Numbers that a split leaves of a row: m, l, two unused, and whole chunks of sums. In WGSL, and here. */
export const PART_WIDTH = "32 * ((u.Dv + 31) / 32) + 4";
const partWidth = (Dv: number) => 32 * chunksOf(Dv) + 4;

/** How the keys of a slice are split; undefined where its queries are work enough. */
export function splitsOf(program: Program, { bn, gn }: Slice, limits: PassLimits): Merge | undefined {
  const { B, T, S, H, Hkv, Dv } = program.shapes;
  const groups = tilesOf(T) * bn * gn * (H / Hkv);
  // An empty row's mean of v is no sum that splits could share.
  if (T > FEW_QUERIES || program.onEmptyRow === "uniform") return undefined;
  const wanted = Math.min(Math.floor(tilesOf(S) / LEAST_TILES), Math.ceil(BUSY_GROUPS / groups));
  if (wanted < 2) return undefined;
  const tiles = Math.ceil(tilesOf(S) / wanted);
  const splits = Math.ceil(tilesOf(S) / tiles);
  const bytes = 4 * B * H * T * splits * partWidth(Dv);
  return bytes > limits.maxStorageBufferBindingSize ? undefined : { splits, tiles, bytes };
}

/** The pass that merges what the splits of a slice left. */
export function mergePass(
  program: Program,
  layout: Layout,
  slice: Slice,
  variant: Variant,
  merge: Merge,
  results: readonly PassBinding[],
): ShaderPass {
  const { T, H, Hkv } = program.shapes;
  const bindings: PassBinding[] = [{ name: "parts", access: "read" }, ...results];
  const own = ofRows(variant);
  return {
    label: "attention merge",
    code: cachedShader("merge", own, () => mergeShader(own, bindings)),
    bindings,
    uniforms: programUniforms(program, layout, slice, { splits: merge.splits, splitTiles: merge.tiles }),
    workgroups: [T, slice.bn * slice.gn * (H / Hkv), 1],
  };
}

/** A workgroup a row, a thread four columns at a time. */
function mergeShader(variant: Variant, bindings: readonly PassBinding[]): string {
  const sink = sinkText(variant);
  return /* wgsl */ `${shaderHead(variant, bindings)}${LSE}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let b = u.b0 + i32(group.y) / u.hn;
  let h = u.h0 + i32(group.y) % u.hn;
  let e = example(b);
  let i = i32(group.x);
  if (i >= ${variant.packed ? "e.queryLength" : "u.T"}) { return; }
  let width = ${PART_WIDTH};
  let first = ((b * u.H + h) * u.T + i) * u.splits * width;
  var m = -LARGEST;
  for (var n = 0; n < u.splits; n++) { m = max(m, parts[first + n * width]); }
  var l = 0.0;
  for (var n = 0; n < u.splits; n++) {
    let at = first + n * width;
    l += parts[at + 1] * exp(parts[at] - m);
  }
  let seen = l != 0.0;
  var top = m;
  var total = l;
  var factor = u.keepScale / select(1.0, l, seen);
  ${
    variant.sink === "none"
      ? ""
      : `top = max(m, ${sink});
  let change = select(0.0, exp(m - top), seen);
  total = l * change + exp(${sink} - top);
  if (seen) { factor = u.keepScale * change / total; }`
  }
  let oAt = ${headStart("out", "h")} + i * ${rowStep("out")};
  for (var col = 4 * i32(index); col < u.Dv; col += 256) {
    var o = vec4f();
    for (var n = 0; n < u.splits; n++) {
      let at = first + n * width;
      let x = vec4f(parts[at + 4 + col], parts[at + 5 + col], parts[at + 6 + col], parts[at + 7 + col]);
      o += exp(parts[at] - m) * x;
    }
    store_out(oAt, col, o * factor);
  }
  if (index == 0u) { keepLse(rowOf(e, b, h) + i, top, total, seen, i < e.queryLength); }
}
`;
}
