/** Programs that move elements: shapes, slices, indices. */
import { product } from "./random.mjs";

/** @typedef {import("./random.mjs").Random} Random @typedef {import("./check.mjs").Program} Program */

const gradOf = (/** @type {{ dtype: string }[]} */ ...x) =>
  x[0].dtype === "float32" ? x.map((_, i) => i) : undefined;

/** One program with one tensor, whose gradient is a matter of places. */
function moved(
  /** @type {number} */ low,
  /** @type {number} */ high,
  /** @type {(r: Random, shape: number[]) => string} */ call,
  zero = 0.03,
) {
  return (/** @type {Random} */ r) => {
    const x = r.numbers(r.shape(low, high, zero));
    return { x: [x], call: call(r, x.shape), grad: gradOf(x), smooth: true, terms: 64 };
  };
}

const list = JSON.stringify;

/** @type {Record<string, (r: Random) => Program>} */
export const shapes = {
  transpose: moved(0, 6, (r, s) => `tf.transpose(x[0], ${list(r.permutation(s.length))})`),
  reverse: moved(1, 4, (r, s) => `tf.reverse(x[0], ${list(r.axes(s.length))})`),
  reshape: moved(
    0,
    4,
    (r, s) => `tf.reshape(x[0], ${list([...r.permutation(s.length).map((i) => s[i]), 1])})`,
  ),
  expandDims: moved(0, 4, (r, s) => `tf.expandDims(x[0], ${r.int(-s.length - 1, s.length)})`),
  squeeze: moved(0, 4, () => "tf.squeeze(x[0])"),
  tile: moved(1, 4, (r, s) => `tf.tile(x[0], ${list(s.map(() => r.int(r.chance(0.05) ? 0 : 1, 3)))})`),
  pad: moved(
    1,
    4,
    (r, s) => `tf.pad(x[0], ${list(s.map(() => [r.int(0, 2), r.int(0, 2)]))}, ${r.pick([0, 1, -2])})`,
  ),
  mirrorPad: moved(
    1,
    4,
    (r, s) => {
      const mode = r.pick(["reflect", "symmetric"]);
      const most = (/** @type {number} */ n) => Math.min(2, mode === "reflect" ? n - 1 : n);
      return `tf.mirrorPad(x[0], ${list(s.map((n) => [r.int(0, most(n)), r.int(0, most(n))]))}, "${mode}")`;
    },
    0,
  ),
  slice: moved(1, 5, (r, s) => {
    const begin = s.map((n) => r.int(0, n));
    return `tf.slice(x[0], ${list(begin)}, ${list(s.map((n, i) => (r.chance(0.2) ? -1 : r.int(0, n - begin[i]))))})`;
  }),
  stridedSlice: moved(1, 4, (r, s) => {
    const strides = s.map(() => r.pick([1, 1, 2, 3, -1, -2]));
    const begin = s.map((n) => r.int(-n, n));
    const end = s.map((n) => r.int(-n - 1, n + 1));
    const bits = () => (r.chance(0.7) ? 0 : r.int(0, 2 ** s.length - 1));
    // cpu takes the strides of other axes where one shrinks.
    const shrink = strides.every((n) => n === 1) ? bits() : 0;
    return `tf.stridedSlice(x[0], ${list(begin)}, ${list(end)}, ${list(strides)}, ${bits()}, ${bits()}, 0, 0, ${shrink})`;
  }),
  split: moved(1, 4, (r, s) => {
    const axis = r.int(0, s.length - 1);
    const first = r.int(0, s[axis]);
    return `tf.split(x[0], ${list([first, s[axis] - first])}, ${axis})`;
  }),
  unstack: moved(1, 4, (r, s) => `tf.unstack(x[0], ${r.int(0, s.length - 1)})`, 0),
  broadcastTo: (r) => {
    const shape = r.shape(0, 4);
    const x = r.numbers(r.partner(shape));
    return {
      x: [x],
      call: `tf.broadcastTo(x[0], ${list(shape)})`,
      grad: gradOf(x),
      smooth: true,
      terms: 256,
    };
  },
  broadcastArgs: (r) => {
    const [a, b] = r.pair();
    const given = [a, b].map((s) => ({ shape: [s.length], dtype: "int32", values: s }));
    return { x: given, call: "tf.broadcastArgs(x[0], x[1])" };
  },
  concat: (r) => {
    const shape = r.shape(1, 4);
    const axis = r.int(0, shape.length - 1);
    const dtype = r.pick(["floats", "floats", "ints", "bools"]);
    const x = Array.from({ length: r.int(1, 4) }, () => r[dtype](shape.with(axis, r.size())));
    return { x, call: `tf.concat(x, ${axis})`, grad: gradOf(...x), smooth: true };
  },
  stack: (r) => {
    const shape = r.shape(0, 4);
    const dtype = r.pick(["floats", "floats", "ints", "bools"]);
    const x = Array.from({ length: r.int(1, 4) }, () => r[dtype](shape));
    return { x, call: `tf.stack(x, ${r.int(0, shape.length)})`, grad: gradOf(...x), smooth: true };
  },
  gather: (r) => {
    const shape = r.shape(1, 4, 0);
    const axis = r.int(0, shape.length - 1);
    const ids = r.ints(r.shape(0, 3), 0, shape[axis] - 1);
    return {
      x: [r.floats(shape), ids],
      call: `tf.gather(x[0], x[1], ${axis})`,
      grad: [0],
      smooth: true,
      terms: 300,
    };
  },
  gatherBatched: (r) => {
    const [batch, n, m] = [r.int(1, 3), r.int(1, 5), r.int(1, 5)];
    const x = [r.floats([batch, n, ...r.shape(0, 2, 0)]), r.ints([batch, m], 0, n - 1)];
    return { x, call: "tf.gather(x[0], x[1], 1, 1)", grad: [0], terms: 32 };
  },
  gatherND: (r) => {
    const shape = r.shape(1, 4, 0);
    const depth = r.int(1, shape.length);
    const outer = r.shape(1, 2);
    const values = Array.from({ length: product(outer) }, () =>
      shape.slice(0, depth).map((n) => r.int(0, n - 1)),
    );
    const ids = { shape: [...outer, depth], dtype: "int32", values: values.flat() };
    return { x: [r.numbers(shape), ids], call: "tf.gatherND(x[0], x[1])", smooth: true, terms: 64 };
  },
  gatherNDGradient: (r) => {
    const program = shapes.gatherND(r);
    const x = program.x[0].dtype === "float32" ? program.x : [r.floats(program.x[0].shape), program.x[1]];
    return { ...program, x, grad: [0] };
  },
  scatterND: (r) => {
    const shape = r.shape(1, 3, 0);
    const depth = r.int(1, shape.length);
    const n = r.int(1, 5);
    const ids = Array.from({ length: n }, () => shape.slice(0, depth).map((size) => r.int(0, size - 1)));
    return {
      x: [{ shape: [n, depth], dtype: "int32", values: ids.flat() }, r.numbers([n, ...shape.slice(depth)])],
      call: `tf.scatterND(x[0], x[1], ${list(shape)})`,
      terms: 16,
    };
  },
  tensorScatterUpdate: (r) => {
    const n = r.int(2, 7);
    const ids = r.permutation(n).slice(0, r.int(1, n));
    const tail = r.shape(0, 2, 0);
    return {
      x: [
        r.floats([n, ...tail]),
        { shape: [ids.length, 1], dtype: "int32", values: ids },
        r.floats([ids.length, ...tail]),
      ],
      call: "tf.tensorScatterUpdate(x[0], x[1], x[2])",
    };
  },
  sparseToDense: (r) => {
    const n = r.int(2, 7);
    const ids = r.permutation(n).slice(0, r.int(1, n)).sort();
    return {
      x: [{ shape: [ids.length], dtype: "int32", values: ids }, r.floats([ids.length]), r.floats([])],
      call: `tf.sparseToDense(x[0], x[1], [${n}], x[2])`,
    };
  },
  oneHot: (r) => ({
    x: [r.ints(r.shape(0, 3), -1, 5)],
    call: `tf.oneHot(x[0], ${r.int(2, 6)}, ${r.int(-2, 3)}, ${r.int(-2, 3)}, "${r.pick(["float32", "int32"])}")`,
  }),
  unsortedSegmentSum: (r) => {
    const ids = r.shape(1);
    return {
      // cpu makes floats of whole numbers.
      x: [r.floats([...ids, ...r.shape(0, 2)]), r.ints(ids, 0, 4)],
      call: "tf.unsortedSegmentSum(x[0], x[1], 5)",
      terms: 64,
    };
  },
  batchToSpaceND: (r) => {
    const block = [r.int(1, 3), r.int(1, 3)];
    const [h, w] = [r.int(1, 4), r.int(1, 4)];
    const crops = [h * block[0], w * block[1]].map((n) => [r.int(0, n > 2 ? 1 : 0), r.int(0, n > 2 ? 1 : 0)]);
    const x = r.floats([r.int(1, 2) * block[0] * block[1], h, w, ...r.shape(0, 1, 0)]);
    return {
      x: [x],
      call: `tf.batchToSpaceND(x[0], ${list(block)}, ${list(crops)})`,
      grad: [0],
      smooth: true,
    };
  },
  spaceToBatchND: (r) => {
    const block = [r.int(1, 3), r.int(1, 3)];
    const pads = block.map((b) => [r.int(0, 1) * b, r.int(0, 1) * b]);
    const x = r.floats([r.int(1, 2), r.int(1, 3) * block[0], r.int(1, 3) * block[1], ...r.shape(0, 1, 0)]);
    return {
      x: [x],
      call: `tf.spaceToBatchND(x[0], ${list(block)}, ${list(pads)})`,
      grad: [0],
      smooth: true,
    };
  },
  depthToSpace: (r) => {
    const b = r.int(2, 3);
    const x = r.floats([r.int(1, 2), r.int(1, 3), r.int(1, 3), b * b * r.int(1, 3)]);
    return { x: [x], call: `tf.depthToSpace(x[0], ${b}, "NHWC")` };
  },
  diag: (r) => ({ x: [r.numbers(r.shape(1, 3))], call: "tf.diag(x[0])" }),
  fill: (r) => ({
    x: [],
    call: `tf.fill(${list(r.shape(0, 4))}, ${r.int(-3, 3)}, "${r.pick(["float32", "int32"])}")`,
  }),
  linspace: (r) => ({ x: [], call: `tf.linspace(${r.int(-5, 5)}, ${r.int(-5, 5)}, ${r.int(1, 9)})` }),
  range: (r) => ({
    x: [],
    call: `tf.range(${r.int(-5, 5)}, ${r.int(-5, 5)}, ${r.pick([1, 2, 0.5])}, "${r.pick(["float32", "int32"])}")`,
  }),
  bandPart: (r) => ({
    x: [r.floats(r.shape(2, 3, 0))],
    call: `tf.linalg.bandPart(x[0], ${r.int(-1, 1)}, ${r.int(-1, 1)})`,
    grad: [0],
  }),
  meshgrid: (r) => ({
    x: [r.floats([r.int(1, 5)]), r.floats([r.int(1, 5)])],
    call: "tf.meshgrid(x[0], x[1])",
  }),
};
