/**
 * The campaign over the kernels of WebGPU: random option sets, forward and backward, against the reference in float64.
 * A combination of options, which chooses the shaders, is drawn for every 40 programs, since compiling them takes longer than
 * running them on a software device; sizes, lengths, bands, masks, seeds and numbers are drawn for each program. Half of the
 * combinations have a scoreMod, a maskMod or both, which read captured tensors.
 */
import { prepareSwiftShader } from "../swiftshader.mjs";
import { drawFunctions } from "./functions.mjs";
import { Random } from "./random.mjs";

const PER_COMBINATION = 40;
const REPORT_EVERY_MS = 20_000;
/** Of the largest number of a result, the bar; a gradient of scores is off by roundings of |dout|·|v| besides, lse by those of q·k. */
const TOLERANCE = 1e-5;
const ROUNDING = 2 ** -20;

/** @typedef {Record<string, ArrayLike<number>>} Results */

/** What chooses the shaders. */
function combination(/** @type {Random} */ random) {
  const axes = () => [random.chance(0.5), random.chance(0.5), random.chance(0.6), random.chance(0.6)];
  return {
    B: random.int(1, 2),
    layout: random.pick(["bhtd", "bhtd", "bthd", "thd"]),
    aligned: [random.chance(0.5), random.chance(0.5)],
    chunks: [random.pick([1, 1, 2]), random.pick([1, 1, 2])],
    bias: random.chance(0.4) ? axes() : undefined,
    allow: random.chance(0.4) ? axes() : undefined,
    softCap: random.chance(0.3),
    sink: random.pick(["none", "none", "number", "array"]),
    dropout: random.chance(0.35),
    lengths: random.chance(0.4),
    offsets: random.chance(0.2),
    uniform: random.chance(0.2),
    dlse: random.chance(0.7),
    functions: random.chance(0.5) ? drawFunctions(random) : undefined,
  };
}

/** @typedef {ReturnType<typeof combination>} Combination */

const WIDTHS = {
  true: { 1: [4, 8, 16, 32], 2: [36, 48, 64] },
  false: { 1: [1, 2, 5, 17, 31], 2: [33, 45, 63] },
};
const LENGTHS = [1, 2, 3, 7, 13, 31, 32, 33, 63, 64, 65, 70];

function sizesOf(/** @type {Random} */ random, /** @type {Combination} */ { B, aligned, chunks }) {
  const width = (/** @type {number} */ n) => random.pick(WIDTHS[`${aligned[n]}`][chunks[n]]);
  const Hkv = random.int(1, 2);
  const [T, S] = [random.pick(LENGTHS), random.pick(LENGTHS)];
  return { B, T, S, Hkv, H: Hkv * random.int(1, 3), D: width(0), Dv: width(1) };
}

function normals(/** @type {Random} */ random, /** @type {number} */ n, gain = 1) {
  return Float32Array.from({ length: n }, () => gain * random.normal());
}

/** The band, and the offset of queries. */
function bandOf(/** @type {Random} */ random, /** @type {{ T: number, S: number }} */ { T, S }, own = false) {
  const edge = () => (random.chance(0.3) ? Infinity : random.int(0, Math.max(S, 6)));
  if (own) return { causal: "bottomRight" };
  const kind = random.int(0, 3);
  if (kind === 0) return {};
  if (kind === 1) return { causal: random.pick(["topLeft", "bottomRight"]) };
  const queryOffset = random.int(-4, Math.max(S - T, 0) + 3);
  return { queryOffset, window: { left: edge(), right: edge() }, ...(kind === 2 && { causal: true }) };
}

function optionsOf(/** @type {Random} */ random, /** @type {Combination} */ c, /** @type {any} */ sizes) {
  const { B, H, T, S } = sizes;
  const shape = (/** @type {boolean[]} */ axes) => [B, H, T, S].map((n, axis) => (axes[axis] ? n : 1));
  const count = (/** @type {number[]} */ of) => of.reduce((all, n) => all * n, 1);
  const lengths = (/** @type {number} */ most) => Array.from({ length: B }, () => random.int(0, most));
  const packed = c.layout === "thd";
  /** @type {any} */
  const options = { training: true, onEmptyRow: c.uniform ? "uniform" : "zero" };
  // Of packed sequences the longest ones have the sizes.
  if (packed) options.queryLengths = [...lengths(T).slice(1), T];
  if (packed) options.keyLengths = [...lengths(S).slice(1), S];
  if (!packed && (c.lengths || c.offsets)) options.queryLengths = lengths(T);
  if (!packed && c.lengths) options.keyLengths = lengths(S);
  Object.assign(options, bandOf(random, sizes, c.offsets && !packed));
  if (packed) {
    // With a corner of its own for each sequence; an offset for all is refused where they differ.
    delete options.queryOffset;
    delete options.window;
    options.causal = random.pick([false, "topLeft", "bottomRight"]);
  }
  if (random.chance(0.3)) options.scale = random.pick([0, -0.3, 0.7]);
  if (c.bias) {
    const values = normals(random, count(shape(c.bias)));
    if (random.chance(0.4)) for (let e = 0; e < values.length; e += random.int(2, 6)) values[e] = -Infinity;
    options.bias = { shape: shape(c.bias), dtype: "float32", values };
  }
  if (c.allow) {
    const share = random.pick([0.1, 0.75, 0.95]);
    const values = Uint8Array.from({ length: count(shape(c.allow)) }, () => (random.chance(share) ? 1 : 0));
    options.allow = { shape: shape(c.allow), dtype: "bool", values };
  }
  if (c.softCap) options.softCap = random.pick([0.7, 3, 30]);
  if (c.sink === "number") options.sink = random.pick([-1, 0, 2.5]);
  if (c.sink === "array") options.sink = { shape: [H], dtype: "float32", values: normals(random, H) };
  if (c.functions) Object.assign(options, c.functions(random));
  if (c.dropout) options.dropout = { rate: random.pick([0.1, 0.5]), seed: random.int(0, 2 ** 40) };
  return options;
}

/** NaN wherever nobody looks: in keys that no query sees and queries that see no key. */
function hide(
  /** @type {any} */ parts,
  /** @type {any} */ program,
  /** @type {any} */ rows,
  /** @type {any} */ arrays,
) {
  const { B, T, S, H, D, Dv } = program.shapes;
  const { queries, keys } = rows;
  const seen = new Set();
  const some = new Set();
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      const g = parts.keyHead(h, program.shapes);
      for (let i = 0; i < (program.queryLengths?.[b] ?? T); i++) {
        let sees = false;
        for (let j = 0; j < (program.keyLengths?.[b] ?? S); j++) {
          if (!parts.isAllowed(program, b, h, i, j)) continue;
          sees = true;
          seen.add(keys.start(b, g, 1) + j * keys.step(1));
        }
        if (sees) some.add(queries.start(b, h, 1) + i * queries.step(1));
      }
    }
  }
  const fill = (
    /** @type {Float32Array} */ x,
    /** @type {number} */ width,
    /** @type {Set<number>} */ kept,
  ) => {
    for (let row = 0; row < x.length / width; row++) {
      if (!kept.has(row)) x.fill(Number.NaN, row * width, (row + 1) * width);
    }
  };
  fill(arrays.q, D, some);
  fill(arrays.dout, Dv, some);
  fill(arrays.k, D, seen);
  fill(arrays.v, Dv, seen);
}

function largest(/** @type {ArrayLike<number>} */ x) {
  let most = 0;
  for (let e = 0; e < x.length; e++) if (Math.abs(x[e]) < Infinity) most = Math.max(most, Math.abs(x[e]));
  return most;
}

function longest(/** @type {Float32Array} */ x, /** @type {number} */ width) {
  let most = 0;
  for (let row = 0; row < x.length; row += width) {
    const length = Math.hypot(...x.subarray(row, row + width));
    if (length < Infinity) most = Math.max(most, length);
  }
  return most;
}

/** How far each result is from the reference, as a share of what it may be. */
function compare(/** @type {any} */ c, /** @type {Results} */ got, /** @type {Results} */ want) {
  const { program, arrays } = c;
  const { D, Dv } = program.shapes;
  const dscore = ROUNDING * longest(arrays.dout, Dv) * longest(arrays.v, Dv);
  const dproduct = dscore * Math.abs(program.scale);
  const roundings = {
    // Where a row sees one key, lse is that score: a sum of products of any size, whose roundings stay when they cancel.
    lse: 2 ** -23 * (1 + Math.abs(program.scale) * longest(arrays.q, D) * longest(arrays.k, D)),
    dq: dproduct * longest(arrays.k, D),
    dk: dproduct * longest(arrays.q, D),
    dbias: dscore,
    dsink: dscore,
  };
  // A captured number's gradient is a sum over elements, whose errors are as likely up as down, times up to a distance.
  const sums = dscore * Math.sqrt(arrays.q.length / D) * Math.max(program.shapes.T, program.shapes.S);
  /** @type {Record<string, number>} */
  const shares = {};
  for (const [name, values] of Object.entries(want)) {
    const most = largest(values);
    const tolerance =
      TOLERANCE * most +
      (roundings[/** @type {"dq"} */ (name)] ?? (name.startsWith("dtensor") ? sums : 0)) +
      Number.MIN_VALUE;
    let share = got[name]?.length === values.length ? 0 : Infinity;
    for (let e = 0; e < values.length && share < Infinity; e++) {
      if (Object.is(got[name][e], values[e]) || got[name][e] === values[e]) continue;
      const error = Math.abs(got[name][e] - values[e]);
      share = Math.max(share, Number.isNaN(error) ? Infinity : error / tolerance);
    }
    shares[name] = share;
  }
  return shares;
}

/** One program: its arrays and options. */
function programOf(
  /** @type {any} */ parts,
  /** @type {Random} */ random,
  /** @type {Combination} */ combined,
) {
  const sizes = sizesOf(random, combined);
  const options = optionsOf(random, combined, sizes);
  const { layout } = combined;
  const program = parts.compileModified("fuzz", sizes, options);
  const rows = parts.callLayout(layout, sizes, program.queryLengths, program.keyLengths);
  const [queries, keys] = [rows.queries.rows(sizes.B), rows.keys.rows(sizes.B)];
  const gain = random.pick([0.5, 1, 4]);
  const arrays = {
    q: normals(random, queries * sizes.D, gain),
    k: normals(random, keys * sizes.D),
    v: normals(random, keys * sizes.Dv),
    dout: normals(random, queries * sizes.Dv),
    dlse: combined.dlse ? normals(random, queries) : undefined,
  };
  if (!combined.uniform) hide(parts, program, rows, arrays);
  return { program, layout, arrays, queries, describe: { sizes, options, layout, gain } };
}

async function runOnGpu(/** @type {any} */ parts, /** @type {any} */ gpu, /** @type {any} */ c) {
  const { program, layout, arrays, queries } = c;
  const { q, k, v, dout, dlse } = arrays;
  const { bias, sink, shapes } = program;
  const inputs = { q, k, v, ...parts.optionArrays(program) };
  const forward = parts.forwardPasses(program, layout, { limits: gpu.limits });
  const made = await parts.runPasses("fuzz", gpu, forward, inputs, {
    out: queries * shapes.Dv,
    lse: 2 * queries,
  });
  const backward = parts.backwardPasses(program, layout, { limits: gpu.limits, dlse: dlse !== undefined });
  const given = { ...inputs, ...made, dout, ...(dlse && { dlse }) };
  const gradients = await parts.runPasses("fuzz", gpu, backward, given, {
    dq: q.length,
    dk: k.length,
    dv: v.length,
    ...(bias && { dbias: bias.array.values.length }),
    ...(sink !== undefined && { dsink: typeof sink === "number" ? 1 : shapes.H }),
    ...Object.fromEntries(
      parts
        .learnedOf(program.modification)
        .map((/** @type {any} */ { count }, /** @type {number} */ n) => [`dtensor${n}`, count]),
    ),
  });
  return { output: made.out, lse: made.lse.slice(0, queries), ...gradients };
}

function reference(/** @type {any} */ parts, /** @type {any} */ { program, layout, arrays }) {
  const of = (/** @type {Float32Array} */ x) => Float64Array.from(x);
  const inputs = { q: of(arrays.q), k: of(arrays.k), v: of(arrays.v) };
  const { output, lse } = parts.referenceCall(program, layout, inputs);
  const dlse = arrays.dlse && of(arrays.dlse);
  const { dbias, dsink, dtensors, ...rest } = parts.referenceCallGradients(
    program,
    layout,
    inputs,
    of(arrays.dout),
    dlse,
  );
  const learned = parts.learnedOf(program.modification);
  return {
    ...{ output, lse, ...rest, ...(dbias && { dbias }), ...(dsink && { dsink }) },
    ...Object.fromEntries(
      learned.map((/** @type {any} */ { name }, /** @type {number} */ n) => [`dtensor${n}`, dtensors[name]]),
    ),
  };
}

const MODULES = [
  "core/notation",
  "core/modified-program",
  "core/program-rows",
  "kernels/layout",
  "kernels/reference-layouts",
  "kernels/webgpu/device",
  "kernels/webgpu/forward",
  "kernels/webgpu/modification",
  "kernels/webgpu/backward",
  "kernels/webgpu/run",
  "kernels/webgpu/runner",
];

/** @returns the exit status */
export async function fuzzWebgpu(
  /** @type {{ programs: number, seed: number, from: number, failures: number }} */ {
    programs,
    seed,
    from,
    failures,
  },
) {
  const missing = prepareSwiftShader();
  if (missing) {
    console.error(`fuzz: ${missing}`);
    return 2;
  }
  const modules = await Promise.all(MODULES.map((name) => import(`../../build/${name}.js`)));
  const parts = Object.assign({}, ...modules);
  const gpu = await parts.gpuDevice();
  let wrong = 0;
  let reported = Date.now();
  /** @type {Record<string, number>} */
  const worst = {};
  for (let index = from; index < programs; index++) {
    const combined = combination(new Random(seed, 1e6 + Math.floor(index / PER_COMBINATION)));
    const c = programOf(parts, new Random(seed, index), combined);
    const shares = compare(c, await runOnGpu(parts, gpu, c), reference(parts, c));
    for (const [name, share] of Object.entries(shares)) worst[name] = Math.max(worst[name] ?? 0, share);
    if (Math.max(...Object.values(shares)) > 1) {
      wrong++;
      const said = JSON.stringify(c.describe, (_, x) =>
        ArrayBuffer.isView(x) ? `${x.constructor.name}` : x,
      );
      console.log(`program ${index} of seed ${seed}: ${JSON.stringify(shares)} of what is allowed; ${said}`);
      if (wrong >= failures) break;
    }
    if (Date.now() - reported > REPORT_EVERY_MS) {
      reported = Date.now();
      console.log(`${index + 1} of ${programs} programs, ${wrong} wrong`);
    }
  }
  const most = Object.entries(worst).map(([name, share]) => `${name} ${share.toFixed(3)}`);
  console.log(
    `${programs - from} programs, ${wrong} wrong; largest errors as shares of 1e-5: ${most.join(", ")}`,
  );
  return wrong > 0 ? 1 : 0;
}
