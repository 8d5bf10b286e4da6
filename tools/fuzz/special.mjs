/** Programs over images, strings, ragged and complex tensors. */
/** @typedef {import("./random.mjs").Random} Random @typedef {import("./check.mjs").Program} Program */

const list = JSON.stringify;
const LETTERS = "ab c,d";
const word = (/** @type {Random} */ r) =>
  Array.from({ length: r.int(0, 5) }, () => r.pick([...LETTERS])).join("");
const strings = (/** @type {Random} */ r, /** @type {number[]} */ shape) => ({
  shape,
  dtype: "string",
  values: Array.from({ length: shape.reduce((n, s) => n * s, 1) }, () => word(r)),
});
const whole = (/** @type {number[]} */ values, shape = [values.length]) => ({
  shape,
  dtype: "int32",
  values,
});

/** Row starts of a ragged tensor: from 0 to `last`, never falling. */
function splits(/** @type {Random} */ r, /** @type {number} */ last) {
  const inner = Array.from({ length: r.int(0, 3) }, () => r.int(0, last)).sort((a, b) => a - b);
  return [0, ...inner, last];
}

function boxes(/** @type {Random} */ r, /** @type {number} */ n) {
  const values = Array.from({ length: n }, () => {
    const [y, x] = [r.next(), r.next()];
    return [y, x, y + r.next() * 0.6, x + r.next() * 0.6].map(Math.fround);
  });
  return { shape: [n, 4], dtype: "float32", values: values.flat() };
}

function resize(/** @type {string} */ name) {
  return (/** @type {Random} */ r) => {
    const align = r.chance(0.4);
    // cpu's gradient never ends where corners are aligned and an image has one row or column.
    const least = align ? 2 : 1;
    const x = r.floats([r.int(1, 2), r.int(least, 6), r.int(least, 6), r.int(1, 3)], "normal");
    const half = !align && r.chance(0.5);
    const call = `tf.image.${name}(x[0], ${list([r.int(1, 7), r.int(1, 7)])}, ${align}, ${half})`;
    return { x: [x], call, grad: [0], smooth: name === "resizeBilinear", terms: 32, loose: 64 };
  };
}

function suppression(/** @type {string} */ name, /** @type {string} */ rest) {
  return (/** @type {Random} */ r) => {
    const n = r.int(1, 8);
    const call = `tf.image.${name}(x[0], x[1], ${r.int(1, 8)}, ${r.pick([0.1, 0.5, 0.9])}, ${r.pick([0, 0.2])}${rest})`;
    return { x: [boxes(r, n), r.floats([n], "unit")], call };
  };
}

function segments(/** @type {string} */ name) {
  return (/** @type {Random} */ r) => {
    const [rows, n] = [r.int(1, 5), r.int(1, 6)];
    const ids = [0];
    while (ids.length < n) ids.push((ids.at(-1) ?? 0) + r.int(0, 1));
    return {
      x: [r.floats([rows, ...r.shape(0, 2, 0)]), r.ints([n], 0, rows - 1), whole(ids)],
      call: `tf.sparse.sparseSegment${name}(x[0], x[1], x[2])`,
      terms: 8,
    };
  };
}

/** @type {Record<string, (r: Random) => Program>} */
export const special = {
  resizeBilinear: resize("resizeBilinear"),
  resizeNearestNeighbor: resize("resizeNearestNeighbor"),
  cropAndResize: (r) => {
    const n = r.int(1, 3);
    const [batch, C] = [r.int(1, 2), r.int(1, 3)];
    return {
      x: [r.floats([batch, r.int(2, 6), r.int(2, 6), C], "normal"), boxes(r, n), r.ints([n], 0, batch - 1)],
      call: `tf.image.cropAndResize(x[0], x[1], x[2], ${list([r.int(1, 4), r.int(1, 4)])}, "${r.pick(["bilinear", "nearest"])}", ${r.pick([0, 7])})`,
      terms: 16,
      loose: 128,
    };
  },
  flipLeftRight: (r) => ({ x: [r.floats(r.shape(4))], call: "tf.image.flipLeftRight(x[0])" }),
  rotateWithOffset: (r) => ({
    x: [r.floats([r.int(1, 2), r.int(2, 6), r.int(2, 6), r.int(1, 3)])],
    call: `tf.image.rotateWithOffset(x[0], ${r.pick([0.3, -1, 2])}, ${r.pick([0, 1])}, ${r.pick([0.5, 0.25])})`,
  }),
  transform: (r) => {
    const map = [
      1 + r.normal() / 8,
      r.normal() / 8,
      r.normal(),
      r.normal() / 8,
      1 + r.normal() / 8,
      r.normal(),
      0,
      0,
    ];
    return {
      x: [
        r.floats([1, r.int(2, 6), r.int(2, 6), r.int(1, 3)], "normal"),
        { shape: [1, 8], dtype: "float32", values: map.map(Math.fround) },
      ],
      call: `tf.image.transform(x[0], x[1], "${r.pick(["nearest", "bilinear"])}", "${r.pick(["constant", "reflect", "wrap", "nearest"])}", 0)`,
      terms: 16,
      loose: 256,
    };
  },
  nonMaxSuppression: suppression("nonMaxSuppression", ""),
  nonMaxSuppressionPadded: suppression("nonMaxSuppressionPadded", ", true"),
  nonMaxSuppressionWithScore: suppression("nonMaxSuppressionWithScore", ", 0.5"),
  complex: (r) => {
    const shape = r.shape(0, 3);
    return {
      x: [r.floats(shape), r.floats(shape)],
      call: "[tf.real(tf.complex(x[0], x[1])), tf.imag(tf.complex(x[0], x[1])), tf.complex(x[0], x[1])]",
    };
  },
  complexMoves: (r) => {
    const shape = r.shape(2, 3, 0);
    const f = r.pick([
      "tf.reshape(c, [-1])",
      "tf.slice(c, [1 % c.shape[0]], [1])",
      "tf.concat([c, c], 1)",
      "tf.split(c, c.shape[1], 1)[0]",
      "tf.expandDims(c, 0)",
      "tf.clone(c)",
      "tf.add(c, c)",
      "tf.sub(c, tf.complex(x[1], x[0]))",
      "tf.mul(c, c)",
      "tf.cast(c, 'float32')",
      "tf.zerosLike(c)",
      "tf.onesLike(c)",
      "tf.abs(c)",
      "tf.cast(x[0], 'complex64')",
    ]);
    return { x: [r.floats(shape), r.floats(shape)], call: `((c) => ${f})(tf.complex(x[0], x[1]))`, terms: 4 };
  },
  complexAbs: (r) => {
    const shape = r.shape(0, 3);
    return { x: [r.floats(shape), r.floats(shape)], call: "tf.abs(tf.complex(x[0], x[1]))" };
  },
  fft: (r) => {
    const shape = [...r.shape(0, 2, 0), r.pick([1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 16])];
    const f = r.pick(["fft", "ifft"]);
    return { x: [r.floats(shape), r.floats(shape)], call: `tf.${f}(tf.complex(x[0], x[1]))`, terms: 64 };
  },
  rfft: (r) => {
    const n = r.pick([2, 3, 4, 5, 6, 8, 10]);
    return { x: [r.floats([...r.shape(0, 1, 0), n])], call: "tf.spectral.rfft(x[0])", terms: 64 };
  },
  irfft: (r) => {
    const shape = [r.int(1, 3), r.pick([2, 3, 5, 9])];
    return {
      x: [r.floats(shape), r.floats(shape)],
      call: "tf.spectral.irfft(tf.complex(x[0], x[1]))",
      terms: 64,
    };
  },
  stringSplit: (r) => ({
    x: [strings(r, [r.int(1, 4)]), { shape: [], dtype: "string", values: [r.pick([" ", ",", ""])] }],
    call: `tf.string.stringSplit(x[0], x[1], ${r.chance(0.5)})`,
  }),
  stringToHashBucketFast: (r) => ({
    x: [strings(r, r.shape(1, 2))],
    call: `tf.string.stringToHashBucketFast(x[0], ${r.int(1, 99)})`,
  }),
  staticRegexReplace: (r) => ({
    x: [strings(r, r.shape(0, 2))],
    call: `tf.string.staticRegexReplace(x[0], "${r.pick(["a", "[ab]+", "^.", " $"])}", "<$&>", ${r.chance(0.5)})`,
  }),
  stringNGrams: (r) => {
    const n = r.int(1, 6);
    return {
      x: [strings(r, [n]), whole(splits(r, n))],
      call: `tf.string.stringNGrams(x[0], x[1], "|", ${list([r.int(1, 3)])}, "(", ")", ${r.int(-1, 1)}, ${r.chance(0.5)})`,
    };
  },
  stringMoves: (r) => {
    const shape = r.shape(1, 3, 0);
    const f = r.pick([
      "tf.reshape(x[0], [-1])",
      "tf.slice(x[0], [0], [1])",
      "tf.concat([x[0], x[0]], 0)",
      "tf.stack([x[0], x[0]])",
      "tf.clone(x[0])",
      "tf.tile(x[0], x[0].shape.map(() => 2))",
      "tf.transpose(x[0])",
      "tf.expandDims(x[0], 0)",
      "tf.equal(x[0], x[0])",
      "tf.gather(x[0], [0, 0])",
      "tf.reverse(x[0])",
      "tf.unstack(x[0])",
      "tf.split(x[0], x[0].shape[0], 0)",
      "tf.pad(x[0], x[0].shape.map(() => [1, 0]), 'a')",
    ]);
    return { x: [strings(r, shape)], call: f };
  },
  sparseFillEmptyRows: (r) => {
    const rows = r.int(1, 5);
    const at = Array.from({ length: rows }, (_, i) => i).filter(() => r.chance(0.6));
    return {
      x: [
        whole(
          at.flatMap((i) => [i, r.int(0, 3)]),
          [at.length, 2],
        ),
        r.floats([at.length]),
        whole([rows, 4]),
        r.floats([]),
      ],
      call: "tf.sparse.sparseFillEmptyRows(x[0], x[1], x[2], x[3])",
    };
  },
  sparseReshape: (r) => {
    const n = r.int(1, 4);
    const values = Array.from({ length: n }, () => [r.int(0, 1), r.int(0, 2), r.int(0, 3)]);
    return {
      x: [whole(values.flat(), [n, 3]), whole([2, 3, 4]), whole(r.pick([[4, 6], [24], [-1, 2], [2, -1, 3]]))],
      call: "tf.sparse.sparseReshape(x[0], x[1], x[2])",
    };
  },
  sparseSegmentMean: segments("Mean"),
  sparseSegmentSum: segments("Sum"),
  raggedRange: (r) => {
    const n = r.int(1, 4);
    const deltas = r.ints([n], 1, 3);
    return {
      x: [r.ints([n]), r.ints([n]), deltas],
      call: "Object.values(tf.engine().runKernel('RaggedRange', { starts: x[0], limits: x[1], deltas: x[2] }))",
    };
  },
  raggedGather: (r) => {
    const inner = r.int(1, 6);
    const rows = splits(r, inner);
    const ids = r.ints([r.int(1, 4)], 0, rows.length - 2);
    return {
      x: [whole(rows), r.floats([inner, ...r.shape(0, 1, 0)]), ids],
      call: "((o) => [...o.outputNestedSplits, o.outputDenseValues])(tf.raggedGather([x[0]], x[1], x[2], 1))",
    };
  },
  raggedTensorToTensor: (r) => {
    const n = r.int(1, 6);
    const rows = splits(r, n);
    return {
      x: [whole([rows.length - 1, r.int(1, 4)]), r.floats([n]), r.floats([]), whole(rows)],
      call: "tf.raggedTensorToTensor(x[0], x[1], x[2], [x[3]], ['ROW_SPLITS'])",
    };
  },
};
