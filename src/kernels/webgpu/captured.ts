/**
 * Captured tensors that are on the device already, one buffer each, put into the one buffer `tensors` that the passes of
 * attention read: a copy of what scoreMod and maskMod look at, tables and slopes, and of no operand.
 */
import type { Modification } from "../../core/expression/modification.ts";
import { type ArrayInfo, size } from "../../core/notation.ts";
import { tensorPlaces } from "./modification.ts";
import type { ShaderPass } from "./pass.ts";
import { THREADS } from "./shader.ts";

/** Threads of one row of workgroups: more numbers go on in the next rounds of a thread. */
const MOST_GROUPS = 1024;

/**
 * A pass for each captured tensor, which reads its buffer `capturedN`, N being its place among the names of
 * `modification.tensors`, and writes its part of `tensors`, a buffer of `count` float32 numbers. Tensors of int32 and bool
 * are words of 32 bits.
 *
 * @example
 * const shapes = { B: 1, T: 2, S: 2, H: 1, Hkv: 1, D: 4, Dv: 4 };
 * const slopes = { shape: [3], dtype: "float32", values: [1, 2, 3] };
 * const { modification } = compileModified("attention", shapes, {
 *   scoreMod: (score, { h }, { slopes }) => score.mul(slopes.at(h)),
 *   tensors: { slopes },
 * });
 * capturedPasses(modification).count; // 3
 */
export function capturedPasses(modification: Modification<ArrayInfo>): {
  passes: ShaderPass[];
  count: number;
} {
  const { places, total } = tensorPlaces(modification);
  const passes = Object.entries(modification.tensors).map(([name, { shape, dtype }], n): ShaderPass => {
    const type = dtype === "float32" ? "f32" : "i32";
    return copyPass({ from: `captured${n}`, to: "tensors", first: places[name]!, count: size(shape), type });
  });
  return { passes, count: total };
}

interface Copy {
  readonly from: string;
  readonly to: string;
  /** The place of the first number in `to`. */
  readonly first: number;
  readonly count: number;
  /** Of what is copied; it arrives as f32. @default "f32" */
  readonly type?: "f32" | "i32";
}

/** Puts the numbers of one buffer into a part of another, of f32. */
export function copyPass({ from, to, first, count, type = "f32" }: Copy): ShaderPass {
  return {
    label: `attention ${from}, copied`,
    code: copyShader(type),
    bindings: [
      { name: from, access: "read" },
      { name: to, access: "read_write" },
    ],
    uniforms: Uint32Array.of(first, count, 0, 0).buffer,
    workgroups: [Math.min(MOST_GROUPS, Math.ceil(count / THREADS)), 1, 1],
  };
}

const copyShader = (type: "f32" | "i32") => /* wgsl */ `
struct Uniforms { first: u32, count: u32, unused0: u32, unused1: u32 }
@group(0) @binding(0) var<storage, read> source: array<${type}>;
@group(0) @binding(1) var<storage, read_write> copied: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;

@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) global: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = global.x; n < u.count; n += ${THREADS}u * groups.x) { copied[u.first + n] = f32(source[n]); }
}
`;
