/** dsink: the sum of the rows' parts, of each head or of all, by one workgroup in a fixed order. */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { callLayout, type Layout } from "../layout.ts";
import type { PassBinding, ShaderPass } from "./pass.ts";
import { cachedShader } from "./shader.ts";
import type { Slice } from "./slices.ts";
import { programUniforms, uniformStruct } from "./uniforms.ts";

const BINDINGS: readonly PassBinding[] = [
  { name: "sinkRows", access: "read" },
  { name: "dsink", access: "read_write" },
];

export function sinkGradientPass(
  program: AttentionProgram<ArrayInfo>,
  layout: Layout,
  slice: Slice,
): ShaderPass {
  const { shapes, queryLengths, keyLengths } = program;
  const { B, H, T } = shapes;
  const { queries } = callLayout(layout, shapes, queryLengths, keyLengths);
  const rows = queries.rows(B);
  // Rows of one head stand in `bn` runs of `rHead`.
  const perHead = queries.starts
    ? { bn: 1, rExample: 0, rHead: rows / H }
    : { bn: B, rExample: H * T, rHead: T };
  const ofAll = { bn: 1, rExample: 0, rHead: rows };
  const isArray = typeof program.sink === "object";
  return {
    label: "attention dsink",
    code: cachedShader("dsink", {}, sinkShader),
    bindings: BINDINGS,
    uniforms: programUniforms(
      { ...program, queryLengths: undefined, keyLengths: undefined, offset: 0 },
      "bhtd",
      slice,
      {
        ...(isArray ? perHead : ofAll),
      },
    ),
    workgroups: [isArray ? H : 1, 1, 1],
  };
}

const sinkShader = () => /* wgsl */ `${uniformStruct(0)}
@group(0) @binding(0) var<storage, read> sinkRows: array<f32>;
@group(0) @binding(1) var<storage, read_write> dsink: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  var sum = 0.0;
  for (var b = 0; b < u.bn; b++) {
    let first = b * u.rExample + i32(group.x) * u.rHead;
    for (var n = i32(index); n < u.rHead; n += 64) { sum += sinkRows[first + n]; }
  }
  sums[index] = sum;
  for (var step = 32u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (index < step) { sums[index] += sums[index + step]; }
  }
  if (index == 0u) { dsink[group.x] = sums[0]; }
}
`;
