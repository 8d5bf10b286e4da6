/**
 * What the backward passes need of each query, a thread a row: `rows` has lse, what rounding took from it, r − dlse with
 * r = Σ_c dout·out, and the weight of every key where the row reads the mean of v. With a sink `sinkRows` has the row's part of
 * its gradient, −p_sink (r − dlse).
 */
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import type { PassBinding, ShaderPass } from "./pass.ts";
import {
  cachedShader,
  headStart,
  ofRows,
  rowStep,
  shaderHead,
  sinkText,
  THREADS,
  type Variant,
} from "./shader.ts";
import { bindingOf, type Slice } from "./slices.ts";

interface RowsCall {
  readonly program: AttentionProgram<ArrayInfo>;
  readonly slice: Slice;
  readonly variant: Variant;
  readonly uniforms: ArrayBuffer;
  readonly dlse: boolean;
  /** Query heads of the slice. */
  readonly heads: number;
}

export function rowsPass({ program, slice, variant, uniforms, dlse, heads }: RowsCall): ShaderPass {
  const bindings: PassBinding[] = [
    bindingOf(slice, "out", "read", "out"),
    bindingOf(slice, "dout", "read", "out"),
    { name: "lse", access: "read" },
    ...(dlse ? [{ name: "dlse", access: "read" } as const] : []),
    ...(variant.sink === "array" ? [{ name: "sink", access: "read" } as const] : []),
    { name: "rows", access: "read_write" },
    ...(variant.sink === "none" ? [] : [{ name: "sinkRows", access: "read_write" } as const]),
  ];
  const own = ofRows(variant);
  return {
    label: "attention rows",
    code: cachedShader(`rows ${dlse}`, own, () => rowsShader(own, bindings, dlse)),
    bindings,
    uniforms,
    workgroups: [Math.ceil(program.shapes.T / THREADS), heads, 1],
  };
}

function rowsShader(variant: Variant, bindings: readonly PassBinding[], dlse: boolean): string {
  const sink = sinkText(variant);
  return /* wgsl */ `${shaderHead(variant, bindings)}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) global: vec3u) {
  let b = u.b0 + i32(global.y) / u.hn;
  let h = u.h0 + i32(global.y) % u.hn;
  let e = example(b);
  let i = i32(global.x);
  if (i >= ${variant.packed ? "e.queryLength" : "u.T"}) { return; }
  let row = rowOf(e, b, h) + i;
  let at = ${headStart("out", "h")} + i * ${rowStep("out")};
  var sum = 0.0;
  for (var col = 0; col < u.Dv; col += 4) { sum += dot(load_out(at, col), load_dout(at, col)); }
  var high = lse[row];
  var low = lse[u.rows + row];
  let change = ${dlse ? "dlse[row]" : "0.0"};
  let isHollow = low == u.infinity;
  let isNothing = high == -u.infinity;
  if (isHollow) { low = 0.0; }
  if (isNothing) { high = 0.0; }
  if (high == u.infinity) { high = LARGEST; }
  let share = select(0.0, 1.0 / f32(max(e.keyLength, 1)), isHollow);
  rows[row] = vec4f(high, low, sum - change, ${variant.uniformRows ? "share" : "0.0"});
  ${
    variant.sink === "none"
      ? ""
      : `let own = select(sum, 0.0, isHollow || i >= e.queryLength);
  sinkRows[row] = select(-exp((${sink} - high) - low) * (own - change), 0.0, isNothing);`
  }
}
`;
}
