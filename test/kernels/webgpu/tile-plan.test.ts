/** What tiles of scores need of scoreMod and maskMod, as shaders find it, and that forward passes compute no other tiles. */
import { describe, expect, test } from "vitest";
import { Evaluator } from "../../../src/core/expression/evaluate.ts";
import { planBlock } from "../../../src/core/expression/intervals.ts";
import { hostModification } from "../../../src/core/expression/modification.ts";
import type { AttentionShapes } from "../../../src/core/notation.ts";
import type { HostProgram } from "../../../src/core/program.ts";
import { gpuDevice } from "../../../src/kernels/webgpu/device.ts";
import { forwardPasses } from "../../../src/kernels/webgpu/forward.ts";
import type { ShaderPass } from "../../../src/kernels/webgpu/pass.ts";
import { BASE_LIMITS } from "../../../src/kernels/webgpu/pass.ts";
import { optionArrays } from "../../../src/kernels/webgpu/run.ts";
import { runPasses } from "../../../src/kernels/webgpu/runner.ts";
import { shaderHead, variantOf } from "../../../src/kernels/webgpu/shader.ts";
import { scoreBindings, slicesOf } from "../../../src/kernels/webgpu/slices.ts";
import { programUniforms } from "../../../src/kernels/webgpu/uniforms.ts";
import { gpuTest } from "../../support/gpu.ts";
import { makeCase } from "../cases.ts";
import { CLASSICS } from "../modification-cases.ts";

const SHAPES: AttentionShapes = { B: 1, H: 2, Hkv: 1, T: 163, S: 197, D: 4, Dv: 4 };
const [MASKED, CHANGED] = [2, 4];
const tiles = (n: number) => Math.ceil(n / 32);

/** Every tile of every head. */
function eachTile(
  { B, H, T, S }: AttentionShapes,
  visit: (n: number, b: number, h: number, i0: number, j0: number) => void,
) {
  let n = 0;
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let i0 = 0; i0 < T; i0 += 32) for (let j0 = 0; j0 < S; j0 += 32) visit(n++, b, h, i0, j0);
}

/** A pass that writes the plan of every tile. */
function planPass(program: HostProgram): ShaderPass {
  const slice = slicesOf(program, "bhtd", BASE_LIMITS)[0]!;
  const bindings = [...scoreBindings(program, slice), { name: "found", access: "read_write" as const }];
  const { H, T, S, B } = program.shapes;
  return {
    label: "plans",
    code: `${shaderHead(variantOf(program, "bhtd", slice, {}), bindings)}
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u) {
  let i0 = 32 * i32(group.x);
  let j0 = 32 * i32(group.y);
  let b = i32(group.z) / u.H;
  let h = i32(group.z) % u.H;
  found[(group.z * ${tiles(T)}u + group.x) * ${tiles(S)}u + group.y] =
    f32(planOf(b, h, i0, min(i0 + 31, u.T - 1), j0, min(j0 + 31, u.S - 1)));
}`,
    bindings,
    uniforms: programUniforms(program, "bhtd", slice),
    workgroups: [tiles(T), tiles(S), B * H],
  };
}

/** What bounds in float64 say of each tile, in the same bits. */
function plansOf({ shapes, modification }: HostProgram): number[] {
  const { nodes, mask, score, tensors } = modification!;
  const { visible, full, unchanged } = planBlock(nodes, { ...(mask && { mask }), ...(score && { score }) });
  const evaluator = new Evaluator([visible, full, unchanged], tensors);
  const plans: number[] = [];
  eachTile(shapes, (_, b, h, q0, k0) => {
    const [q1, k1] = [Math.min(q0 + 31, shapes.T - 1), Math.min(k0 + 31, shapes.S - 1)];
    const [seen, isFull, isKept] = evaluator.run({ b, h, q0, q1, k0, k1 });
    plans.push(seen ? 1 + (isFull ? 0 : MASKED) + (isKept ? 0 : CHANGED) : 0);
  });
  return plans;
}

/** Tiles of which somebody sees something. */
function seenTiles({ shapes, modification }: HostProgram): boolean[] {
  const functions = hostModification(modification!);
  const seen: boolean[] = [];
  eachTile(shapes, (n, b, h, i0, j0) => {
    seen[n] = false;
    for (let i = i0; i < Math.min(i0 + 32, shapes.T); i++)
      for (let j = j0; j < Math.min(j0 + 32, shapes.S); j++)
        seen[n] ||= functions.allows(b, h, i, j) && functions.change(0.5, b, h, i, j) !== -Infinity;
  });
  return seen;
}

/** Of these a shader's bounds say less than float64's: distances that are no whole numbers, or more numbers than it looks through. */
const LOOSER = ["tree"];

describe("plans of tiles", () => {
  gpuTest("are those of interval arithmetic for the classics", async () => {
    const gpu = await gpuDevice();
    const wrong: Record<string, unknown> = {};
    for (const [name, classic] of Object.entries(CLASSICS)) {
      const { program } = makeCase(SHAPES, classic(SHAPES), 3);
      const want = plansOf(program);
      const plan = { passes: [planPass(program)], scratch: {} };
      const { found } = await runPasses("test", gpu, plan, optionArrays(program), { found: want.length });
      const seen = seenTiles(program);
      // What is left out is seen by nobody, and no bound says more than float64's.
      const isUnsound = seen.some((isSeen, n) => isSeen && found![n] === 0);
      const saysMore = want.some((code, n) => code !== 0 && (found![n] === 0 || (code & ~found![n]!) !== 0));
      const differs = want.filter((code, n) => code !== found![n]).length;
      if (isUnsound || saysMore || (differs > 0 && !LOOSER.includes(name))) {
        wrong[name] = { isUnsound, saysMore, differs, of: want.length };
      }
    }
    expect(wrong).toEqual({});
  });

  gpuTest("the forward pass computes the tiles that somebody sees", async () => {
    const c = makeCase(SHAPES, CLASSICS.causalDocuments!(SHAPES), 3);
    const gpu = await gpuDevice();
    const plan = forwardPasses(c.program, "bhtd", { visits: true });
    const inputs = { q: c.q, k: c.k, v: c.v, ...optionArrays(c.program) };
    const { B, H, T, S, Dv } = SHAPES;
    const sizes = { out: B * H * T * Dv, lse: 2 * B * H * T, visits: B * H * tiles(T) };
    const { visits } = await runPasses("test", gpu, plan, inputs, sizes);
    const computed = new Uint32Array(visits!.buffer).reduce((sum, n) => sum + n, 0);
    expect(computed).toBe(seenTiles(c.program).filter(Boolean).length);
    expect(computed / (B * H * tiles(T) * tiles(S))).toBeLessThan(0.3);
  });

  test("a walk asks for the plan before it stages a tile", () => {
    const { program } = makeCase(SHAPES, CLASSICS.window!(SHAPES), 3);
    const { code } = forwardPasses(program, "bhtd").passes[0]!;
    expect(code).toMatch(/if \(todo == 0u\) \{ continue; \}[\s\S]*product_q_k\(qStart/);
  });
});
