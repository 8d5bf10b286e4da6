// The inputs of a conformance case, exactly as README.md beside this file defines them. No dependencies: copy it, or
// read it to write the same in another language.

/** @import { Case, Inputs, ArraySpec, Sizes } from "./inputs.mjs" */

const MASK = (1n << 32n) - 1n;

/** Philox4x32-10: four 32-bit numbers from a 128-bit counter and a 64-bit key. */
export function philox(/** @type {number[]} */ counter, /** @type {number[]} */ key) {
  let [c0, c1, c2, c3] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0;
    const b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & MASK, (a >> 32n) ^ c3 ^ k1, a & MASK];
    k0 = (k0 + 0x9e3779b9n) & MASK;
    k1 = (k1 + 0xbb67ae85n) & MASK;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** The first n 32-bit numbers of a stream. */
export function bits(/** @type {number} */ seed, /** @type {number} */ stream, /** @type {number} */ n) {
  const out = new Uint32Array(4 * Math.ceil(n / 4));
  for (let block = 0; 4 * block < n; block++) out.set(philox([block, 0, stream, 0], [seed, 0]), 4 * block);
  return out.subarray(0, n);
}

/** The first n numbers of a stream in [−2, 2) · gain: multiples of 2⁻²², exact in float32. */
export function draw(
  /** @type {number} */ seed,
  /** @type {number} */ stream,
  /** @type {number} */ n,
  /** @type {number} */ gain = 1,
) {
  return Float64Array.from(bits(seed, stream, n), (x) => ((x >>> 8) * 2 ** -22 - 2) * gain);
}

/** JSON has no infinities and no NaN; they stand as text. */
export function readNumbers(/** @type {(number | string)[]} */ values) {
  return Float64Array.from(values, Number);
}

/** The sizes with Hkv = H and Dv = D where they are left out. */
export function sizesOf(/** @type {Case} */ { sizes }) {
  const { H, D, Hkv = H, Dv = D } = sizes;
  return { ...sizes, Hkv, Dv };
}

const product = (/** @type {readonly number[]} */ shape) => shape.reduce((n, m) => n * m, 1);

/** An array of the options: its values are given, or drawn from a stream of the seed. */
function readArray(
  /** @type {ArraySpec} */ spec,
  /** @type {string} */ dtype,
  /** @type {number} */ seed,
  /** @type {number} */ stream,
) {
  const { shape, values, share, minusInfinity = [], emptyRows = [] } = spec;
  const n = product(shape);
  let out;
  if (values) out = readNumbers(values);
  else if (share === undefined) out = draw(seed, stream, n);
  else out = Float64Array.from(bits(seed, stream, n), (x) => (x < share * 2 ** 32 ? 1 : 0));
  for (const e of minusInfinity) out[e] = -Infinity;
  const width = shape.at(-1) ?? 1;
  for (const row of emptyRows) out.fill(0, row * width, (row + 1) * width);
  return { shape, dtype: spec.dtype ?? dtype, values: out };
}

/**
 * The inputs of a case as float64 numbers that are exact in float32, row-major: q and dout [B, H, T, ·], k and v
 * [B, Hkv, S, ·], dlse [B, H, T], whatever `layout` says.
 *
 * @returns {Inputs}
 */
export function inputsOf(/** @type {Case} */ c) {
  const { B, T, S, H, Hkv, D, Dv } = sizesOf(c);
  const { seed, gain = 1, options = {} } = c;
  const { allow, bias, sink } = options;
  const inputs = {
    q: draw(seed, 0, B * H * T * D, gain),
    k: draw(seed, 1, B * Hkv * S * D),
    v: draw(seed, 2, B * Hkv * S * Dv),
    dout: draw(seed, 3, B * H * T * Dv),
    dlse: c.dlse ? draw(seed, 4, B * H * T) : undefined,
    bias: bias && readArray(bias, "float32", seed, 5),
    sink: typeof sink === "object" ? readArray(sink, "float32", seed, 6) : sink,
    allow: allow && readArray(allow, "bool", seed, 7),
  };
  if (c.nan === "hidden") hide(c, inputs);
  return inputs;
}

/** The element of an array [T, S] or [B, H, T, S], of which any length may be 1, for (b, h, i, j). */
export function elementOf(
  /** @type {{ shape: readonly number[], values: ArrayLike<number> }} */ { shape, values },
  /** @type {number} */ b,
  /** @type {number} */ h,
  /** @type {number} */ i,
  /** @type {number} */ j,
) {
  const place = [b, h, i, j].slice(4 - shape.length);
  return values[shape.reduce((at, n, axis) => at * n + (n === 1 ? 0 : place[axis]), 0)];
}

/** Whether query i of (b, h) may see key j: lengths, causality, window, `allow` and a bias of −∞ together. */
export function isVisible(
  /** @type {Case} */ c,
  /** @type {Pick<Inputs, "allow" | "bias">} */ { allow, bias },
  /** @type {number} */ b,
  /** @type {number} */ h,
  /** @type {number} */ i,
  /** @type {number} */ j,
) {
  const { T, S } = c.sizes;
  const { causal, queryOffset = 0, window = {}, queryLengths, keyLengths } = c.options ?? {};
  // The last valid query stands at the last valid key.
  const corner = (keyLengths ? keyLengths[b] : S) - (queryLengths ? queryLengths[b] : T);
  const offset = causal === "topLeft" ? 0 : causal === "bottomRight" ? corner : queryOffset;
  const distance = j - (i + offset);
  if (queryLengths && i >= queryLengths[b]) return false;
  if (keyLengths && j >= keyLengths[b]) return false;
  if (causal && distance > 0) return false;
  if (distance < -(window.left ?? Infinity) || distance > (window.right ?? Infinity)) return false;
  if (allow && elementOf(allow, b, h, i, j) === 0) return false;
  return !bias || elementOf(bias, b, h, i, j) !== -Infinity;
}

/** NaN in every row of q that sees no key, and in every row of k and v that no query sees. */
function hide(/** @type {Case} */ c, /** @type {Inputs} */ inputs) {
  const { B, T, S, H, Hkv, D, Dv } = sizesOf(c);
  const sees = new Set();
  const seen = new Set();
  for (let row = 0; row < B * H * T; row++) {
    const [b, h, i] = [Math.floor(row / (H * T)), Math.floor(row / T) % H, row % T];
    const group = b * Hkv + Math.floor((h * Hkv) / H);
    for (let j = 0; j < S; j++) {
      if (!isVisible(c, inputs, b, h, i, j)) continue;
      sees.add(row);
      seen.add(group * S + j);
    }
  }
  for (let row = 0; row < B * H * T; row++) {
    if (!sees.has(row)) inputs.q.fill(Number.NaN, row * D, (row + 1) * D);
  }
  for (let row = 0; row < B * Hkv * S; row++) {
    if (seen.has(row)) continue;
    inputs.k.fill(Number.NaN, row * D, (row + 1) * D);
    inputs.v.fill(Number.NaN, row * Dv, (row + 1) * Dv);
  }
}

/** The arrays that follow `layout`, each with its letters in "bhtd"; lse, weights, dbias and dsink do not. */
const LAID_OUT = /** @type {Record<string, [keyof Sizes, keyof Sizes, keyof Sizes]>} */ ({
  q: ["H", "T", "D"],
  k: ["Hkv", "S", "D"],
  v: ["Hkv", "S", "Dv"],
  dout: ["H", "T", "Dv"],
  output: ["H", "T", "Dv"],
  dq: ["H", "T", "D"],
  dk: ["Hkv", "S", "D"],
  dv: ["Hkv", "S", "Dv"],
});

/**
 * For each element of a laid-out array, its place in the array in "bhtd": the order of "bthd" is b, t, h, d; that of
 * "thd" is the same without padding. Undefined where nothing moves.
 */
export function placesOf(/** @type {Case} */ c, /** @type {string} */ name) {
  const letters = LAID_OUT[name];
  const { layout = "bhtd", options = {} } = c;
  if (!letters || layout === "bhtd") return undefined;
  const sizes = sizesOf(c);
  const [heads, length, width] = letters.map((letter) => sizes[letter]);
  const lengths = letters[1] === "T" ? options.queryLengths : options.keyLengths;
  const places = [];
  for (let b = 0; b < sizes.B; b++) {
    const n = layout === "thd" ? lengths[b] : length;
    for (let t = 0; t < n; t++) {
      for (let h = 0; h < heads; h++) {
        for (let d = 0; d < width; d++) places.push(((b * heads + h) * length + t) * width + d);
      }
    }
  }
  return places;
}

/** An array in "bhtd" as the case's layout has it. */
export function toLayout(
  /** @type {Case} */ c,
  /** @type {string} */ name,
  /** @type {Float64Array} */ values,
) {
  const places = placesOf(c, name);
  return places ? Float64Array.from(places, (at) => values[at]) : values;
}
