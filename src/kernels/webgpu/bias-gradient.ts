/**
 * dbias in WGSL, for a bias of any shape: a workgroup owns a tile of it and walks over the tiles of scores that share it, the
 * examples, heads, queries and keys over which the bias is repeated, in a fixed order; then it sums within the tile along
 * axes of length 1. Every number is written once, so nothing has to be cleared.
 */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../layout.ts";
import { starts, tileBindings, tileVariant } from "./backward.ts";
import type { PassOptions } from "./forward.ts";
import { beginGradients, gradientTileText } from "./gradient-tile.ts";
import type { PassBinding, ShaderPass } from "./pass.ts";
import { cachedShader, shaderHead, THREADS, type Variant } from "./shader.ts";
import { bindingOf, type Slice } from "./slices.ts";
import { four, tilesOf } from "./tile.ts";
import { programUniforms } from "./uniforms.ts";

type Program = AttentionProgram<ArrayInfo>;

/** Axes along which a bias has numbers of its own. */
interface Kept {
  readonly b: boolean;
  readonly h: boolean;
  readonly i: boolean;
  readonly j: boolean;
}

/** Whether an earlier slice has written what this one owns. */
function hasEarlier(slices: readonly Slice[], n: number, kept: Kept): boolean {
  const meets = (a0: number, an: number, b0: number, bn: number) => a0 < b0 + bn && b0 < a0 + an;
  const { b0, bn, g0, gn } = slices[n]!;
  return slices
    .slice(0, n)
    .some((s) => (!kept.b || meets(s.b0, s.bn, b0, bn)) && (!kept.h || meets(s.g0, s.gn, g0, gn)));
}

export function biasGradientPasses(
  program: Program,
  layout: Layout,
  slices: readonly Slice[],
  options: PassOptions,
): ShaderPass[] {
  const { T, S, H, Hkv } = program.shapes;
  const [b, h, i, j] = program.bias!.strides.map((stride) => stride !== 0) as [
    boolean,
    boolean,
    boolean,
    boolean,
  ];
  const kept = { b, h, i, j };
  return slices.map((slice, n) => {
    const variant = tileVariant(program, layout, slice, options);
    const bindings: PassBinding[] = [
      ...tileBindings(program, slice, variant.half),
      bindingOf(slice, "dbias", "read_write", "bias"),
    ];
    const heads = slice.gn * (H / Hkv);
    return {
      label: "attention dbias",
      code: cachedShader("dbias", { ...variant, axes: kept }, () => biasShader(variant, bindings, kept)),
      bindings,
      uniforms: programUniforms(program, layout, slice, { adds: hasEarlier(slices, n, kept) ? 1 : 0 }),
      workgroups: [j ? tilesOf(S) : 1, i ? tilesOf(T) : 1, (b ? slice.bn : 1) * (h ? heads : 1)],
    };
  });
}

/** Sums of the tile along its axes of length 1, and their places. */
function storeText({ i, j }: Kept): string {
  const keep = four((c) => `tp[8 * (4 * tx + ${c}) + ty] = sum[${c}];`);
  if (i && j) {
    return four((c) => four((r) => `keep(i0 + 4 * ty + ${r}, j0 + 4 * tx + ${c}, at, sum[${c}][${r}]);`));
  }
  if (i) {
    return `workgroupBarrier();
  ${keep}
  workgroupBarrier();
  if (li < 8) {
    var total = tp[li];
    for (var n = 1; n < 32; n++) { total += tp[8 * n + li]; }
    ${four((r) => `keep(i0 + 4 * li + ${r}, 0, at, total[${r}]);`)}
  }`;
  }
  const column = `workgroupBarrier();
  ${keep}
  workgroupBarrier();
  var total = vec4f();
  if (li < 32) { for (var n = 0; n < 8; n++) { total += tp[8 * li + n]; } }
  let mine = (total.x + total.y) + (total.z + total.w);`;
  if (j) return `${column}\n  if (li < 32) { keep(0, j0 + li, at, mine); }`;
  return `${column}
  workgroupBarrier();
  if (li < 32) { tp[li].x = mine; }
  workgroupBarrier();
  if (li == 0) {
    var all = 0.0;
    for (var n = 0; n < 32; n++) { all += tp[n].x; }
    keep(0, 0, at, all);
  }`;
}

function biasShader(variant: Variant, bindings: readonly PassBinding[], kept: Kept): string {
  const { b, h, i, j } = kept;
  const z = "i32(group.z)";
  const own = {
    b: b ? (h ? `u.b0 + ${z} / u.hn` : `u.b0 + ${z}`) : "u.b0",
    h: h ? (b ? `u.h0 + ${z} % u.hn` : `u.h0 + ${z}`) : "u.h0",
  };
  return /* wgsl */ `${shaderHead(variant, bindings)}
${gradientTileText(variant, { weights: false, products: false, scores: true })}${starts()}
fn keep(i: i32, j: i32, at: i32, x: f32) {
  if (${[...(i ? ["i >= u.T"] : []), ...(j ? ["j >= u.S"] : []), "false"].join(" || ")}) { return; }
  let place = at + i * u.biasI + j * u.biasJ;
  dbias[place] = x + select(0.0, dbias[place], u.adds != 0);
}

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  place(index);
  let firstB = ${own.b};
  let firstH = ${own.h};
  var sum = mat4x4f();
  for (var b = firstB; b < firstB + ${b ? "1" : "u.bn"}; b++) {
    for (var h = firstH; h < firstH + ${h ? "1" : "u.hn"}; h++) {
      let g = h / u.group;
      let e = example(b);
      let endRow = ${i ? "i32(group.y) + 1" : "(e.queryLength + 31) / 32"};
      for (var s = ${i ? "i32(group.y)" : "0"}; s < endRow; s++) {
        let i0 = 32 * s;
        let last = min(i0 + 31, e.queryLength - 1);
        let firstKey = max(0, i0 + e.low);
        let endKey = select(0, min(e.keyLength, last + e.high + 1), i0 < e.queryLength);
        let firstTile = max(firstKey / 32, ${j ? "i32(group.x)" : "0"});
        let endTile = min((endKey + 31) / 32, ${j ? "i32(group.x) + 1" : "(u.S + 31) / 32"});
        for (var t = firstTile; t < endTile; t++) {
          let j0 = 32 * t;
          ${beginGradients(variant, "keys")}
          sum += tileGradients(e, b, h, g, i0, j0, visibles).dscores;
        }
      }
    }
  }
  let i0 = ${i ? "32 * i32(group.y)" : "0"};
  let j0 = ${j ? "32 * i32(group.x)" : "0"};
  let at = u.biasStart + ${b ? "firstB" : "0"} * u.biasB + ${h ? "firstH" : "0"} * u.biasH;
  ${storeText(kept)}
}
`;
}
