/**
 * Random scoreMod and maskMod for campaigns, with the tensors that they read. Their shapes are the same for all programs, so that
 * programs share their shaders; indices are clamped to them. Masks are of every kind that bounds know; scores change smoothly,
 * since where a function jumps float32 and float64 may be on different sides.
 */

/** @typedef {import("./random.mjs").Random} Random */

const POSITIONS = 71;

/** @type {Record<string, (random: Random) => { shape: number[], dtype: string, values: ArrayLike<number> }>} */
const TENSORS = {
  slopes: (random) => floats(random, [3]),
  gain: (random) => floats(random, []),
  table: (random) => floats(random, [3, 13]),
  places: (random) => floats(random, [2, POSITIONS]),
  documents: (random) => {
    const length = random.int(5, 40);
    return integers([2, POSITIONS], (n) => Math.floor((n % POSITIONS) / length));
  },
  prefix: (random) => integers([2], () => random.int(0, 60)),
  open: (random) => ({
    shape: [POSITIONS],
    dtype: "bool",
    values: Uint8Array.from({ length: POSITIONS }, () => (random.chance(0.6) ? 1 : 0)),
  }),
};

const count = (/** @type {number[]} */ shape) => shape.reduce((all, n) => all * n, 1);
const floats = (/** @type {Random} */ random, /** @type {number[]} */ shape) => ({
  shape,
  dtype: "float32",
  values: Float32Array.from({ length: count(shape) }, () => 0.5 * random.normal()),
});
const integers = (/** @type {number[]} */ shape, /** @type {(n: number) => number} */ of) => ({
  shape,
  dtype: "int32",
  values: Int32Array.from({ length: count(shape) }, (_, n) => of(n)),
});

/** @typedef {any} Traced */

/** @type {((random: Random) => { reads: string[], of: (at: Traced, tensors: Traced) => Traced })[]} */
const MASKS = [
  (random) => {
    const [left, right] = [random.int(0, 50), random.int(0, 20)];
    return { reads: [], of: ({ q, k }) => k.sub(q).lessEqual(right).and(q.sub(k).lessEqual(left)) };
  },
  (random) => {
    const step = random.int(2, 5);
    return { reads: [], of: ({ q, k }) => q.sub(k).mod(step).equal(0) };
  },
  (random) => {
    const size = random.int(3, 40);
    return { reads: [], of: ({ q, k }) => q.div(size).floor().equal(k.div(size).floor()) };
  },
  () => ({
    reads: ["documents"],
    of: ({ b, q, k }, { documents }) => documents.at(b, q).equal(documents.at(b, k)),
  }),
  () => ({ reads: ["prefix"], of: ({ b, k }, { prefix }) => k.less(prefix.at(b)) }),
  () => ({ reads: ["open"], of: ({ k }, { open }) => open.at(k) }),
];

/** A truth of one or two masks. */
function drawMask(/** @type {Random} */ random) {
  const [a, b] = [random.pick(MASKS)(random), random.pick(MASKS)(random)];
  const kind = random.int(0, 3);
  const reads = [...a.reads, ...(kind === 0 ? [] : b.reads)];
  const of = (/** @type {Traced} */ at, /** @type {Traced} */ tensors) => {
    const first = a.of(at, tensors);
    if (kind === 0) return first;
    if (kind === 1) return first.and(b.of(at, tensors));
    return kind === 2 ? first.or(b.of(at, tensors)) : first.or(b.of(at, tensors).not());
  };
  return { reads, of };
}

/** @type {((random: Random) => { reads: string[], of: (score: Traced, at: Traced, tensors: Traced) => Traced })[]} */
const SCORES = [
  () => ({
    reads: ["slopes"],
    of: (score, { h, q, k }, { slopes }) => score.add(slopes.at(h).mul(k.sub(q).abs().mul(0.1))),
  }),
  () => ({ reads: ["gain"], of: (score, _, { gain }) => score.mul(gain.at().add(1)) }),
  () => ({
    reads: ["table"],
    of: (score, { h, q, k }, { table }) => score.add(table.at(h, k.sub(q).add(6))),
  }),
  () => ({ reads: ["places"], of: (score, { b, k }, { places }) => score.add(places.at(b, k).tanh()) }),
  (random) => {
    const cap = random.pick([2, 5]);
    return { reads: [], of: (score) => score.div(cap).tanh().mul(cap) };
  },
  (random) => {
    const mask = drawMask(random);
    return {
      reads: mask.reads,
      of: (score, at, tensors) => mask.of(at, tensors).select(score, Number.NEGATIVE_INFINITY),
    };
  },
  (random) => {
    const mask = drawMask(random);
    return {
      reads: [...mask.reads, "slopes"],
      of: (score, at, tensors) => mask.of(at, tensors).select(score, score.add(tensors.slopes.at(at.h))),
    };
  },
];

/**
 * Draws functions; what it answers draws, for one program, the options that have them.
 *
 * @returns {(random: Random) => object}
 */
export function drawFunctions(/** @type {Random} */ random) {
  const kind = random.int(0, 2);
  const mask = kind === 0 ? undefined : drawMask(random);
  const scores =
    kind === 1 ? [] : Array.from({ length: random.int(1, 2) }, () => random.pick(SCORES)(random));
  const reads = new Set([...(mask?.reads ?? []), ...scores.flatMap((one) => one.reads)]);
  return (own) => ({
    ...(mask && {
      maskMod: (/** @type {Traced} */ at, /** @type {Traced} */ tensors) => mask.of(at, tensors),
    }),
    ...(scores.length > 0 && {
      scoreMod: (/** @type {Traced} */ score, /** @type {Traced} */ at, /** @type {Traced} */ tensors) =>
        scores.reduce((changed, one) => one.of(changed, at, tensors), score),
    }),
    ...(reads.size > 0 && {
      tensors: Object.fromEntries([...reads].map((name) => [name, TENSORS[name](own)])),
    }),
  });
}
