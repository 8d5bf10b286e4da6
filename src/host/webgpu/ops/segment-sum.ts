/**
 * The sum of rows by segment, which is the gradient of an embedding. Stock adds with atomics, in an order that changes
 * from run to run; here each row finds the next one of its segment, and the first one of a segment adds them up in
 * their order: O(N²) comparisons of ids, no atomics, equal bits every time.
 */
import { util } from "@tensorflow/tfjs-core";
import type { GpuKernel } from "../register.ts";
import { perElement } from "../shader.ts";

const NONE = "0xffffffffu";

/** next[i] is the next row of row i's segment, or none; first[i] is 1 where no earlier row has the segment. */
const LINK = `
  let id = ids[i];
  var following = ${NONE};
  for (var j = i + 1u; j < u.n; j++) { if (ids[j] == id) { following = j; break; } }
  var isFirst = 1u;
  for (var j = i; j > 0u; j--) { if (ids[j - 1u] == id) { isFirst = 0u; break; } }
  next[i] = following;
  first[i] = isFirst;`;

const ADD = `
  let row = i / u.C;
  let id = ids[row];
  if (first[row] == 0u || id < 0 || u32(id) >= u.segments) { return; }
  let column = i % u.C;
  var total = 0.0;
  for (var at = row; at != ${NONE}; at = next[at]) { total += x[at * u.C + column]; }
  out[u32(id) * u.C + column] = total;`;

/** x [N, …], ids [N] → [segments, …]; rows of an id outside of them are dropped. */
export const segmentSum: GpuKernel = ({ inputs: { x, segmentIds }, attrs, gpu }) => {
  const segments = attrs.numSegments as number;
  const rows = segmentIds!.shape;
  const N = util.sizeFromShape(rows);
  const rest = x!.shape.slice(rows.length);
  const C = util.sizeFromShape(rest);
  const out = gpu.output([segments, ...rest]);
  const [next, first] = [gpu.output([N], "int32"), gpu.output([N], "int32")];
  const clear = perElement(
    {
      label: "segmentSum, zeros",
      buffers: { out: "f32" },
      writes: ["out"],
      uniforms: { n: ["u32", segments * C] },
    },
    "  out[i] = 0.0;",
  );
  const link = perElement(
    {
      label: "segmentSum, rows of a segment",
      buffers: { ids: "i32", next: "u32", first: "u32" },
      writes: ["next", "first"],
      uniforms: { n: ["u32", N] },
    },
    LINK,
  );
  const add = perElement(
    {
      label: "segmentSum",
      buffers: { x: "f32", ids: "i32", next: "u32", first: "u32", out: "f32" },
      writes: ["out"],
      uniforms: { n: ["u32", N * C], C: ["u32", C], segments: ["u32", segments] },
    },
    ADD,
  );
  gpu.run([clear, link, add], { x: x!, ids: segmentIds!, next, first, out });
  gpu.dispose(next);
  gpu.dispose(first);
  return out;
};
