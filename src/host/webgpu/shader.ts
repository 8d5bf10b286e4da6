/** Shaders of one thread an element, or of one workgroup a row: what those of heed's operations share. */
import type { ShaderPass } from "../../kernels/webgpu/pass.ts";

/** Threads of a workgroup. */
export const THREADS = 128;
/** The most workgroups along an axis: more stand in rows of so many. */
const MOST_GROUPS = 65535;

/** A number of the uniform buffer, by its type. */
export type Uniform = readonly ["u32" | "i32" | "f32", number];

export interface ShaderParts {
  readonly label: string;
  /** Storage buffers in their order, as `array<type>`. */
  readonly buffers: Readonly<Record<string, "f32" | "i32" | "u32">>;
  /** The buffers that are written. */
  readonly writes: readonly string[];
  readonly uniforms: Readonly<Record<string, Uniform>>;
}

/** The bytes of a uniform buffer: four each, in their order, a multiple of 16. */
function bytesOf(uniforms: readonly Uniform[]): ArrayBuffer {
  const buffer = new ArrayBuffer(16 * Math.ceil(Math.max(1, uniforms.length) / 4));
  const view = new DataView(buffer);
  for (const [n, [type, value]] of uniforms.entries()) {
    if (type === "f32") view.setFloat32(4 * n, value, true);
    else view.setUint32(4 * n, value >>> 0, true);
  }
  return buffer;
}

/** `groups` workgroups as rows, of which the device takes 65,535 each. */
function grid(groups: number): readonly [number, number, number] {
  const x = Math.min(groups, MOST_GROUPS);
  return [x, x === 0 ? 0 : Math.ceil(groups / x), 1];
}

function shader(parts: ShaderParts, groups: number, main: string, before: string): ShaderPass {
  const { label, buffers, writes, uniforms } = parts;
  const names = Object.keys(buffers);
  const access = (name: string) => (writes.includes(name) ? "read_write" : "read");
  const fields = Object.entries(uniforms).map(([name, [type]]) => `  ${name} : ${type},`);
  if (fields.length === 0) fields.push("  unused : u32,");
  const code = [
    `struct Uniforms {\n${fields.join("\n")}\n}`,
    ...names.map(
      (name, n) =>
        `@group(0) @binding(${n}) var<storage, ${access(name)}> ${name} : array<${buffers[name]}>;`,
    ),
    `@group(0) @binding(${names.length}) var<uniform> u : Uniforms;`,
    before,
    main,
  ].join("\n");
  return {
    label,
    code,
    bindings: names.map((name) => ({ name, access: access(name) })),
    uniforms: bytesOf(Object.values(uniforms)),
    workgroups: grid(groups),
  };
}

/**
 * `body` for each number `i` from 0 to `n`, which is its first uniform, one thread each.
 *
 * @param before functions and constants that it calls
 */
export function perElement(
  parts: ShaderParts & { readonly uniforms: { readonly n: Uniform } },
  body: string,
  before = "",
): ShaderPass {
  const main = `
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) thread : u32,
) {
  let i = (group.y * groups.x + group.x) * ${THREADS}u + thread;
  if (i >= u.n) { return; }
${body}
}`;
  return shader(parts, Math.ceil(parts.uniforms.n[1] / THREADS), main, before);
}

/**
 * `body` for each row `i` of the uniform `N`, one workgroup each. `thread` counts its THREADS threads, and `sum(x)` and
 * `most(x)` add up the numbers of all its threads, or find the greatest, in an order that is always the same.
 */
export function perRow(
  parts: ShaderParts & { readonly uniforms: { readonly N: Uniform } },
  body: string,
  before = "",
): ShaderPass {
  const main = `
var<workgroup> shared_ : array<f32, ${THREADS}>;
var<private> thread : u32;

fn sum(x : f32) -> f32 {
  shared_[thread] = x;
  workgroupBarrier();
  for (var step = ${THREADS / 2}u; step > 0u; step >>= 1u) {
    if (thread < step) { shared_[thread] += shared_[thread + step]; }
    workgroupBarrier();
  }
  return workgroupUniformLoad(&shared_[0]);
}

fn most(x : f32) -> f32 {
  shared_[thread] = x;
  workgroupBarrier();
  for (var step = ${THREADS / 2}u; step > 0u; step >>= 1u) {
    if (thread < step) { shared_[thread] = max(shared_[thread], shared_[thread + step]); }
    workgroupBarrier();
  }
  return workgroupUniformLoad(&shared_[0]);
}

@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) thread_ : u32,
) {
  thread = thread_;
  let i = group.y * groups.x + group.x;
  if (i >= u.N) { return; }
${body}
}`;
  return shader(parts, parts.uniforms.N[1], main, before);
}
