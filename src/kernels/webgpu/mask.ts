/** From products to scores in WGSL: scale, soft-cap, bias, and which keys a query sees. */
import type { Variant } from "./shader.ts";
import { four } from "./tile.ts";

/**
 * tanh after Cephes: a polynomial where 1 − e^−2x would lose digits. WGSL's own may be as far off as its exp allows.
 */
const TANH = /* wgsl */ `
fn tanhOf(x: vec4f) -> vec4f {
  let a = abs(x);
  let e = exp(-2.0 * min(a, vec4f(20.0)));
  let z = x * x;
  let near = ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z
    - 3.33332819422e-1) * z * x + x;
  return select(sign(x) * (1.0 - e) / (1.0 + e), near, a < vec4f(0.625));
}
`;

/** The numbers of bias for the thread's four rows and one key; 0 outside the arrays. */
const BIAS = /* wgsl */ `
fn biasOf(b: i32, h: i32, i: i32, j: i32) -> vec4f {
  if (j >= u.S) { return vec4f(); }
  let at = u.biasStart + b * u.biasB + h * u.biasH + j * u.biasJ;
  let rows = min(vec4i(i) + vec4i(0, 1, 2, 3), vec4i(u.T - 1)) * u.biasI + at;
  return vec4f(bias[rows.x], bias[rows.y], bias[rows.z], bias[rows.w]);
}
`;

const ALLOW = /* wgsl */ `
fn allowOf(b: i32, h: i32, i: i32, j: i32) -> vec4<bool> {
  if (j >= u.S) { return vec4<bool>(); }
  let at = u.allowStart + b * u.allowB + h * u.allowH + j * u.allowJ;
  let rows = min(vec4i(i) + vec4i(0, 1, 2, 3), vec4i(u.T - 1)) * u.allowI + at;
  return vec4u(allow[rows.x], allow[rows.y], allow[rows.z], allow[rows.w]) != vec4u(0u);
}
`;

/**
 * What passes of scores call:
 *
 *     visible(e, b, h, i0, j0)        the bits of the thread's 4 × 4 scores that lengths, band, allow and bias let through
 *     scoresOf(products, b, h, i0, j0) the scores of four rows, column by column
 *     shownOf(scores, bits)            the bits without those of scores of −∞
 *     finite(scores)                   scores of +∞ as the largest number
 *     anywhere(bits)                   whether a thread of the workgroup has one
 */
export function maskText({ bias, allow, softCap, modification }: Variant): string {
  const shown = [
    "vec4<bool>(j < e.keyLength)",
    "rows < vec4i(e.queryLength)",
    "vec4i(j) - rows >= vec4i(e.low)",
    "vec4i(j) - rows <= vec4i(e.high)",
    ...(allow ? ["allowOf(b, h, i, j)"] : []),
    ...(bias ? ["!isNegativeInfinite(biasOf(b, h, i, j))"] : []),
    ...(modification?.mask ? ["maskOf(b, h, i, j)"] : []),
  ];
  return /* wgsl */ `${softCap ? TANH : ""}${bias ? BIAS : ""}${allow ? ALLOW : ""}
var<workgroup> found: atomic<u32>;
var<workgroup> foundAll: u32;

fn visible(e: Example, b: i32, h: i32, i0: i32, j0: i32) -> u32 {
  var bits = 0u;
  let i = i0 + 4 * ty;
  let rows = vec4i(i) + vec4i(0, 1, 2, 3);
  for (var c = 0; c < 4; c++) {
    let j = j0 + 4 * tx + c;
    let seen = vec4u(${shown.map((test) => `(${test})`).join(" & ")}) << vec4u(0u, 1u, 2u, 3u);
    bits |= (seen.x | seen.y | seen.z | seen.w) << u32(4 * c);
  }
  return bits;
}

fn anywhere(bits: u32) -> bool {
  workgroupBarrier();
  if (li == 0) { atomicStore(&found, 0u); }
  workgroupBarrier();
  if (bits != 0u) { atomicOr(&found, 1u); }
  workgroupBarrier();
  if (li == 0) { foundAll = atomicLoad(&found); }
  return workgroupUniformLoad(&foundAll) != 0u;
}

fn unmodified(products: mat4x4f, b: i32, h: i32, i0: i32, j0: i32) -> mat4x4f {
  var s = products * u.scale;
    ${softCap ? four((c) => `s[${c}] = u.softCap * tanhOf(s[${c}] / u.softCap);`) : ""}
    ${bias ? four((c) => `s[${c}] += biasOf(b, h, i0 + 4 * ty, j0 + 4 * tx + ${c});`) : ""}
  return s;
}

fn scoresOf(products: mat4x4f, b: i32, h: i32, i0: i32, j0: i32) -> mat4x4f {
  ${
    modification?.score
      ? `var s = unmodified(products, b, h, i0, j0);
  if (!isChanged) { return s; }
    ${four((c) => `s[${c}] = modified(s[${c}], b, h, i0 + 4 * ty, j0 + 4 * tx + ${c});`)}
  return s;`
      : "return unmodified(products, b, h, i0, j0);"
  }
}

fn hiddenBits(x: vec4f, c: u32) -> u32 {
  let none = vec4u(isNegativeInfinite(x)) << vec4u(0u, 1u, 2u, 3u);
  return (none.x | none.y | none.z | none.w) << (4u * c);
}

fn finite(s: mat4x4f) -> mat4x4f {
  return mat4x4f(${[0, 1, 2, 3].map((c) => `select(s[${c}], vec4f(LARGEST), isInfinite(s[${c}]))`).join(", ")});
}

// The bits without those of scores of −∞.
fn shownOf(s: mat4x4f, bits: u32) -> u32 {
  return bits & ~(${[0, 1, 2, 3].map((c) => `hiddenBits(s[${c}], ${c}u)`).join(" | ")});
}
`;
}

/** Whether tiles can be empty that lengths, band and functions do not leave out: those are looked at before they are computed. */
const hasHoles = ({ allow, bias }: Variant): boolean => allow || bias;

/**
 * How a walk along `keys` or `queries` begins its tile t of those from `firstTile` on, at i0 and j0: it goes on to the next where
 * functions of scores hide all of it, and has `visibles`, the bits of what the thread's queries see.
 *
 * @param hollow text of what a thread wants a tile for although its queries see nothing of it, if anything
 */
export function beginTile(variant: Variant, along: "keys" | "queries", hollow = ""): string {
  const { modification } = variant;
  const lines: string[] = [];
  if (modification) {
    const plan = `tileTodo(t - firstTile, e, b, h, i0, j0, ${along === "keys" ? "0, 32" : "32, 0"})`;
    if (hollow)
      lines.push(
        `let planned = ${plan};`,
        "let todo = select(planned, SEEN | MASKED | CHANGED, planned == 0u);",
      );
    else lines.push(`let todo = ${plan};`, "if (todo == 0u) { continue; }");
    lines.push("isMasked = (todo & MASKED) != 0u;", "isChanged = (todo & CHANGED) != 0u;");
  }
  lines.push("let visibles = visible(e, b, h, i0, j0);");
  const wanted = hollow ? `select(0u, 1u, visibles != 0u || ${hollow})` : "visibles";
  const skip = `if (!anywhere(${wanted})) { continue; }`;
  if (hasHoles(variant) || hollow) lines.push(skip);
  // What a mask leaves of a tile is looked at; a tile of which it hides nothing is not.
  else if (modification?.mask) lines.push(`if ((todo & MASKED) != 0u) { ${skip} }`);
  return lines.join("\n      ");
}
