/**
 * What the backward passes do with one tile, in WGSL. With p the weights, f the factors of dropout, r = Σ_j p_j f_j dout·v_j:
 *
 *     dscore = p ((dout·v) f − r + dlse),    dproduct = dscore · scale · (1 − tanh²)
 *
 * The scores are made anew from q, k and what `rows` has of each query: lse, what rounding took from it, r − dlse, and
 * the weight of every key where the row sees none and reads the mean of v.
 */
import { beginTile, maskText } from "./mask.ts";
import type { Variant } from "./shader.ts";
import { four, productText, TILES } from "./tile.ts";

/** Which of a tile's matrices a pass sums. */
export interface Wanted {
  /** The weights after dropout, for dv. */
  readonly weights: boolean;
  /** The gradient of the products, for dq and dk. */
  readonly products: boolean;
  /** The gradient of the scores, for dbias. */
  readonly scores: boolean;
  /** The scores before scoreMod, and the gradient of those after it, for dtensors. @default false */
  readonly modified?: boolean;
}

/** The functions that `tileGradients` calls, and it: matrices of a thread's 4 × 4 in a Tile. */
export function gradientTileText(
  variant: Variant,
  { weights, products, scores, modified = false }: Wanted,
): string {
  const { softCap, dropout, uniformRows } = variant;
  const needsScores = products || scores || modified;
  const hasScoreMod = variant.modification?.score === true;
  return /* wgsl */ `${maskText(variant)}${TILES}${productText("q", "k")}${needsScores ? productText("dout", "v") : ""}
struct Tile { weights: mat4x4f, dproducts: mat4x4f, dscores: mat4x4f, before: mat4x4f }

// The numbers of the thread's four queries, a vector for each of the four that rows has.
fn rowsOf(e: Example, b: i32, h: i32, i: i32) -> mat4x4f {
  // Rows beyond the end see nothing, so the last one's numbers do as well as any.
  let ends = vec4i(e.queryLength - 1 - i);
  let at = max(vec4i(rowOf(e, b, h) + i) + min(vec4i(0, 1, 2, 3), ends), vec4i(0));
  return transpose(mat4x4f(rows[at.x], rows[at.y], rows[at.z], rows[at.w]));
}
${
  uniformRows
    ? `fn hollowOf(e: Example, i: i32, shares: vec4f) -> vec4<bool> {
  return (shares != vec4f()) & (vec4i(i) + vec4i(0, 1, 2, 3) < vec4i(e.queryLength));
}`
    : ""
}

fn tileGradients(e: Example, b: i32, h: i32, g: i32, i0: i32, j0: i32, visibles: u32) -> Tile {
  var tile: Tile;
  let i = i0 + 4 * ty;
  let by = rowsOf(e, b, h, i);
  ${uniformRows ? "let hollow = hollowOf(e, i, by[3]);" : ""}
  let products = product_q_k(qStart(e, b, h), i0, e.queryLength, kStart(e, b, g), j0, e.keyLength);
  var s = scoresOf(products, b, h, i0, j0);
  ${hasScoreMod && needsScores ? "let before = unmodified(products, b, h, i0, j0);" : ""}
  let shown = shownOf(s, visibles);
  s = finite(s);
  var p = mat4x4f();
  ${four((c) => `p[${c}] = select(vec4f(), exp((s[${c}] - by[0]) - by[1]), column(shown, ${c}u));`)}
  ${dropout ? "let lost = dropped(b, h, i0, j0);" : ""}
  ${
    needsScores
      ? `let dp = product_dout_v(oStart(e, b, h), i0, e.queryLength, vStart(e, b, g), j0, e.keyLength);
  ${four((c) => {
    const factor = dropout ? `select(u.keepScale * dp[${c}], vec4f(), column(lost, ${c}u))` : `dp[${c}]`;
    const slope = hasScoreMod && !modified ? ` * slopes(before[${c}], b, h, i, j0 + 4 * tx + ${c})` : "";
    return `let ds${c} = select(vec4f(), p[${c}] * (${factor} - by[2])${slope}, column(shown, ${c}u));`;
  })}
  ${modified ? "tile.before = before;" : ""}
  ${scores || modified ? "tile.dscores = mat4x4f(ds0, ds1, ds2, ds3);" : ""}
  ${
    products
      ? four((c) => {
          const slope = softCap ? ` * slopeOf(products[${c}])` : "";
          return `tile.dproducts[${c}] = ds${c} * u.scale${slope};`;
        })
      : ""
  }`
      : ""
  }
  ${
    weights
      ? four((c) => {
          const own = uniformRows
            ? `select(p[${c}], by[3], hollow & vec4<bool>(j0 + 4 * tx + ${c} < e.keyLength))`
            : `p[${c}]`;
          return dropout
            ? `tile.weights[${c}] = select(u.keepScale * ${own}, vec4f(), column(lost, ${c}u));`
            : `tile.weights[${c}] = ${own};`;
        })
      : ""
  }
  return tile;
}
${softCap ? "fn slopeOf(product: vec4f) -> vec4f {\n  let t = tanhOf(u.scale * product / u.softCap);\n  return 1.0 - t * t;\n}" : ""}
`;
}

/** How a walk begins a tile that it wants gradients of; rows without a key have weights too, which `withHollow` wants. */
export const beginGradients = (variant: Variant, along: "keys" | "queries", withHollow = false): string =>
  beginTile(
    variant,
    along,
    withHollow && variant.uniformRows ? "any(hollowOf(e, i0 + 4 * ty, rowsOf(e, b, h, i0 + 4 * ty)[3]))" : "",
  );
