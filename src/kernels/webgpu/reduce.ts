/**
 * Largest and sum over the eight threads that share four rows, in WGSL: through workgroup memory, or, as far as neighbours
 * share a subgroup, from lane to lane. How threads stand in subgroups, and how large those are, no device promises, so the
 * shader looks before it begins: it asks its neighbours at a distance of 1, 2 and 4 who they are.
 */
import type { Variant } from "./shader.ts";

const lanes = (combine: (a: string, b: string) => string) =>
  [1, 2, 4]
    .map((step) => `  if (width > ${step}) { y = ${combine("y", `subgroupShuffleXor(y, ${step}u)`)}; }`)
    .join("\n");

const WIDTH_BY_LANES = /* wgsl */ `
// How many neighbours, 1, 2, 4 or 8, can be asked from lane to lane, everywhere in this workgroup.
fn laneWidth() -> i32 {
  let me = u32(li);
  let one = subgroupShuffleXor(me, 1u);
  let two = subgroupShuffleXor(me, 2u);
  let four = subgroupShuffleXor(me, 4u);
  if (anywhere(select(0u, 1u, one != (me ^ 1u)))) { return 1; }
  if (anywhere(select(0u, 1u, two != (me ^ 2u)))) { return 2; }
  if (anywhere(select(0u, 1u, four != (me ^ 4u)))) { return 4; }
  return 8;
}
`;

const WIDTH_BY_MEMORY = "fn laneWidth() -> i32 { return 1; }\n";

/**
 * `rowMax(x, width)` and `rowSum(x, width)` with `width` of `laneWidth()`: every thread of a row has the result. Between
 * two calls there is a barrier, that of the products.
 */
export function reduceText({ subgroups }: Variant): string {
  const max = (a: string, b: string) => `max(${a}, ${b})`;
  const add = (a: string, b: string) => `${a} + ${b}`;
  const reduce = (name: string, combine: typeof max, before: string) => /* wgsl */ `
fn ${name}(x: vec4f, width: i32) -> vec4f {
  var y = x;
${subgroups ? lanes(combine) : ""}
  if (width < 8) {${before}
    partial[8 * tx + ty] = y;
    workgroupBarrier();
    y = partial[ty];
    for (var n = width; n < 8; n += width) { y = ${combine("y", "partial[8 * n + ty]")}; }
  }
  return y;
}
`;
  return `
var<workgroup> partial: array<vec4f, 64>;
${subgroups ? WIDTH_BY_LANES : WIDTH_BY_MEMORY}${reduce("rowMax", max, "")}${reduce("rowSum", add, "\n    workgroupBarrier();")}`;
}
