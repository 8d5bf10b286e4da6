/**
 * The gradients of the tensors that scoreMod reads, in WGSL. A workgroup has 256 numbers of one tensor and one head: it
 * walks over the head's tiles, puts what each element adds, and where, into workgroup memory, and each thread picks up
 * what belongs to its four numbers, in order; a second pass adds the heads. No atomic sums, so the bits are always the same.
 * Cost: 1024 comparisons a thread and tile, and the walk again for every 256 numbers: meant for tables, slopes and gains.
 */
import { OptionError } from "../../core/errors.ts";
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { Layout } from "../layout.ts";
import { starts, tileBindings, tileVariant } from "./backward.ts";
import type { PassOptions } from "./forward.ts";
import { beginGradients, gradientTileText } from "./gradient-tile.ts";
import { gatherFunctions, learnedOf } from "./modification.ts";
import type { PassBinding, ShaderPass } from "./pass.ts";
import { cachedShader, QUERY_HEAD, shaderHead, THREADS, type Variant } from "./shader.ts";
import type { Slice } from "./slices.ts";
import { four } from "./tile.ts";
import { programUniforms, uniformStruct } from "./uniforms.ts";

type Program = AttentionProgram<ArrayInfo>;

/** Numbers of a tensor that a workgroup has, and the most that a tensor may have. */
const BLOCK = 256;
const MOST = 2 ** 16;

/** The passes for all learned tensors of a program; `bytes` is the room of their scratch `tensorParts`. */
export function learnedPasses(
  program: Program,
  layout: Layout,
  slices: readonly Slice[],
  options: PassOptions,
): { passes: ShaderPass[]; bytes: number } {
  const { op, shapes } = program;
  const { B, H, Hkv } = shapes;
  const passes: ShaderPass[] = [];
  let bytes = 0;
  for (const [n, { name, count }] of learnedOf(program.modification).entries()) {
    if (count > MOST) {
      throw new OptionError("LIMIT", {
        op,
        rule: `a tensor of scoreMod with a gradient must have at most ${MOST} numbers on webgpu`,
        got: `${count} in ${name}`,
        remedy: "pass it as bias, or as a tensor of int32 where its gradient is not needed",
      });
    }
    bytes = Math.max(bytes, 4 * B * H * count);
    const blocks = Math.ceil(count / BLOCK);
    for (const slice of slices) {
      const variant = tileVariant(program, layout, slice, options);
      const bindings: PassBinding[] = [
        ...tileBindings(program, slice, variant.half),
        { name: "tensorParts", access: "read_write" },
      ];
      passes.push({
        label: "attention dtensors",
        code: cachedShader("dtensors", { ...variant, name }, () => learnedShader(variant, bindings, name)),
        bindings,
        uniforms: programUniforms(program, layout, slice, { adds: count }),
        workgroups: [blocks, slice.bn * slice.gn * (H / Hkv), 1],
      });
    }
    passes.push({
      label: "attention dtensors, heads",
      code: cachedShader("dtensors heads", { n }, () => headsShader(n)),
      bindings: [
        { name: "tensorParts", access: "read" },
        { name: `dtensor${n}`, access: "read_write" },
      ],
      uniforms: programUniforms(
        { ...program, queryLengths: undefined, keyLengths: undefined, offset: 0 },
        "bhtd",
        slices[0]!,
        { adds: count, bn: B },
      ),
      workgroups: [Math.ceil(count / THREADS), 1, 1],
    });
  }
  return { passes, bytes };
}

function learnedShader(variant: Variant, bindings: readonly PassBinding[], name: string): string {
  const { count, wgsl } = gatherFunctions(variant.modification!, name);
  const element = (c: number, r: number) =>
    `vec4f(f32(b), f32(h), f32(i0 + 4 * ty + ${r}), f32(j0 + 4 * tx + ${c}))`;
  const walk = (n: number) => `
        workgroupBarrier();
        ${four((c) => {
          const slopes = [0, 1, 2, 3].map(
            (r) => `gatherSlope${n}(tile.before[${c}][${r}], ${element(c, r)})`,
          );
          const places = [0, 1, 2, 3].map(
            (r) => `gatherPlace${n}(tile.before[${c}][${r}], ${element(c, r)})`,
          );
          return `tp[4 * li + ${c}] = select(vec4f(), tile.dscores[${c}] * vec4f(${slopes.join(", ")}), tile.dscores[${c}] != vec4f());
        ta[4 * li + ${c}] = vec4f(vec4u(${places.join(", ")}));`;
        })}
        workgroupBarrier();
        for (var n = 0; n < 256; n++) {
          let value = tp[n];
          let at = ta[n];
          ${four((m) => `sum[${m}] += select(0.0, value.x, at.x == mine[${m}]) + select(0.0, value.y, at.y == mine[${m}]) + select(0.0, value.z, at.z == mine[${m}]) + select(0.0, value.w, at.w == mine[${m}]);`)}
        }`;
  return /* wgsl */ `${shaderHead(variant, bindings)}
${gradientTileText(variant, { weights: false, products: false, scores: false, modified: true })}${starts()}
${wgsl}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${QUERY_HEAD}
  let first = ${BLOCK} * i32(group.x) + li;
  // Places are below 2¹⁶, so float32 holds them.
  let mine = vec4f(f32(first)) + vec4f(0.0, 64.0, 128.0, 192.0);
  var sum = vec4f();
  for (var s = 0; s < (e.queryLength + 31) / 32; s++) {
    let i0 = 32 * s;
    let endKey = min(e.keyLength, min(i0 + 31, e.queryLength - 1) + e.high + 1);
    let firstTile = max(0, i0 + e.low) / 32;
    for (var t = firstTile; t < (endKey + 31) / 32; t++) {
      let j0 = 32 * t;
      ${beginGradients(variant, "keys")}
      if ((todo & CHANGED) == 0u) { continue; }
      let tile = tileGradients(e, b, h, g, i0, j0, visibles);
      ${Array.from({ length: count }, (_, n) => `{${walk(n)}\n      }`).join("\n      ")}
    }
  }
  // The field adds is here how many numbers the tensor has.
  let at = (b * u.H + h) * u.adds + first;
  ${four((m) => `if (first + ${64 * m} < u.adds) { tensorParts[at + ${64 * m}] = sum[${m}]; }`)}
}
`;
}

const headsShader = (n: number) => /* wgsl */ `${uniformStruct(0)}
@group(0) @binding(0) var<storage, read> tensorParts: array<f32>;
@group(0) @binding(1) var<storage, read_write> dtensor${n}: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3u) {
  let at = i32(global.x);
  if (at >= u.adds) { return; }
  var sum = 0.0;
  for (var n = 0; n < u.bn * u.H; n++) { sum += tensorParts[n * u.adds + at]; }
  dtensor${n}[at] = sum;
}
`;
