/** One random program on `cpu` and on `heed`: values and gradients side by side, and `cpu`'s gradient by differences. */
import { Guard } from "./guard.mjs";
import { Random } from "./random.mjs";

const EPSILON = 2 ** -23;

/**
 * @typedef {{ shape: number[], dtype: string, values: (number | string)[] }} Given
 * @typedef {{
 *   x: Given[], call: string, grad?: number[], terms?: number, smooth?: boolean, loose?: number,
 *   asSet?: boolean, refuses?: RegExp
 * }} Program `call` is code of `tf`, `heed` and `x`; `grad` says for which of x there is a gradient; `terms` is the
 * length of the longest sum; `loose` how many roundings a function of one number may be off.
 * @typedef {{ shape: number[], dtype: string, values: ArrayLike<number | string> }} Result
 * @typedef {{ results?: Result[], error?: Error }} Outcome
 */

/** The program as code to paste. */
export function asCode(/** @type {Program} */ { x, call, grad }, /** @type {string} */ title) {
  const tensors = x.map(
    ({ shape, dtype, values }) =>
      `  tf.tensor(${JSON.stringify(values.map((v) => (typeof v === "string" ? v : Object.is(v, -0) ? "-0" : Number.isFinite(v) ? v : `${v}`))).replace(/"(-0|NaN|-?Infinity)"/g, "$1")}, ${JSON.stringify(shape)}, "${dtype}"),`,
  );
  return [
    `// ${title}`,
    `const x = [\n${tensors.join("\n")}\n];`,
    `const f = (...x) => ${call};`,
    grad ? `// and its gradients for ${grad.map((n) => `x[${n}]`).join(", ")}` : "",
  ]
    .filter(Boolean)
    .join("\n");
}

/** @returns {(tf: unknown, heed: unknown, x: unknown[]) => any} */
const compile = (/** @type {string} */ call) =>
  /** @type {never} */ (new Function("tf", "heed", "x", `return ${call};`));

export class Checker {
  /** @param {any} tf @param {any} heed what heed/ops exports */
  constructor(tf, heed) {
    this.tf = tf;
    this.heed = heed;
    this.factory = tf.findBackendFactory("heed");
    /** @type {WeakMap<object, Guard>} */
    this.guards = new WeakMap();
    this.gradients = 0;
    this.differences = 0;
    /** What heed says no to, cpu does not compute, and neither has a gradient for: counts by what was said. */
    this.refused = /** @type {Record<string, number>} */ ({});
    this.cpuRefused = /** @type {Record<string, number>} */ ({});
    this.noGradient = /** @type {Record<string, number>} */ ({});
  }

  /** @returns {Promise<string | undefined>} what is wrong, if anything is */
  async check(/** @type {Program} */ program, /** @type {string} */ name, /** @type {number} */ seed) {
    const run = compile(program.call);
    const forward = (/** @type {any[]} */ x) => [run(this.tf, this.heed, x)].flat().flatMap(tensorsIn);
    const cpu = await this.#on("cpu", () => forward(this.#inputs(program)));
    const heed = await this.#on("heed", () => forward(this.#inputs(program)));
    const wrong = this.#compare(cpu, heed, program, name);
    if (wrong !== undefined) return wrong === "" ? undefined : `forward: ${wrong}`;
    if (!program.grad || cpu.error) return undefined;
    const floats = cpu.results.filter(({ dtype }) => dtype === "float32");
    if (floats.length === 0) return undefined;
    return this.#checkGradient(program, name, forward, floats, seed);
  }

  /** The gradient of Σ w·f(x) with w by chance. */
  async #checkGradient(
    /** @type {Program} */ program,
    /** @type {string} */ name,
    /** @type {(x: any[]) => any[]} */ forward,
    /** @type {Result[]} */ floats,
    /** @type {number} */ seed,
  ) {
    const { tf } = this;
    const random = new Random(seed, 7);
    const weights = floats.map(({ shape }) => random.floats(shape, "normal"));
    const loss = (/** @type {any[]} */ x) => {
      const outs = forward(x).filter((/** @type {any} */ t) => t.dtype === "float32");
      return outs
        .map((out, i) => tf.sum(tf.mul(out, this.#tensor(weights[i]))))
        .reduce((a, b) => tf.add(a, b));
    };
    const gradient = () => {
      const all = this.#inputs(program);
      const wanted = program.grad.map((n) => all[n]);
      const f = (/** @type {any[]} */ ...given) => {
        const x = [...all];
        program.grad.forEach((n, i) => {
          x[n] = given[i];
        });
        return loss(x);
      };
      return tf.grads(f)(wanted);
    };
    const cpu = await this.#on("cpu", gradient);
    const heed = await this.#on("heed", gradient);
    if (cpu.error && heed.error && !isMemory(heed.error)) {
      count(this.noGradient, `${name}: ${cpu.error.message.slice(0, 90)}`);
      return undefined;
    }
    this.gradients++;
    const wrong = this.#compare(cpu, heed, program, `gradient of ${name}`);
    if (wrong !== undefined) return wrong === "" ? undefined : `gradient: ${wrong}`;
    if (cpu.error || !program.smooth) return undefined;
    return this.#differences(program, loss, cpu.results, random);
  }

  /** The gradient along a direction by chance, against a difference of values, on `cpu`. */
  async #differences(
    /** @type {Program} */ program,
    /** @type {(x: any[]) => any} */ loss,
    /** @type {Result[]} */ gradients,
    /** @type {Random} */ random,
  ) {
    const step = 2 ** -7;
    const directions = gradients.map(({ values }) => Array.from(values, () => random.pick([-1, 1])));
    const at = async (/** @type {number} */ t) => {
      const moved = {
        ...program,
        x: program.x.map((given, n) => {
          const i = program.grad.indexOf(n);
          if (i < 0) return given;
          return { ...given, values: given.values.map((v, j) => Number(v) + t * directions[i][j]) };
        }),
      };
      const { results } = await this.#on("cpu", () => [loss(this.#inputs(moved))]);
      return Number(results[0].values[0]);
    };
    const [a, b, c, d] = [await at(-2 * step), await at(-step), await at(step), await at(2 * step)];
    const slope = (8 * (c - b) - (d - a)) / (12 * step);
    let [along, size] = [0, 0];
    gradients.forEach(({ values }, i) => {
      Array.from(values, Number).forEach((g, j) => {
        along += g * directions[i][j];
        size += Math.abs(g);
      });
    });
    this.differences++;
    // Differences of float32 are good to about ε · |f| / step; the fifth derivative adds step⁴.
    const tolerance = 2e-3 * size + (64 * EPSILON * Math.max(1, Math.abs(a), Math.abs(c))) / step + 1e-3;
    if (!(Math.abs(slope - along) <= tolerance)) {
      return `gradient formula: along a direction ${along}, by differences ${slope} (tolerance ${tolerance})`;
    }
    return undefined;
  }

  #tensor(/** @type {Given} */ { shape, dtype, values }) {
    return this.tf.tensor(values, shape, dtype);
  }

  #inputs(/** @type {Program} */ { x }) {
    return x.map((given) => this.#tensor(given));
  }

  /** @returns {Promise<Outcome>} */
  async #on(/** @type {string} */ backend, /** @type {() => any[]} */ compute) {
    const { tf } = this;
    await tf.setBackend(backend);
    if (backend === "heed") this.#guard();
    const before = tf.memory().numDataBuffers;
    /** @type {Outcome} */
    let outcome;
    try {
      const results = tf.tidy(() =>
        compute().map((t) => ({ shape: t.shape, dtype: t.dtype, values: t.dataSync() })),
      );
      outcome = { results };
    } catch (error) {
      // A scope that an error left open.
      outcome = { error: /** @type {Error} */ (error) };
    }
    const left = tf.memory().numDataBuffers - before;
    const broken = backend === "heed" ? this.#guard().broken() : 0;
    if (broken > 0 || isFatal(outcome.error)) await this.#restart();
    if (broken > 0) return { error: new Error(`${broken} pieces of the heap were written past their end`) };
    if (left !== 0 && !outcome.error)
      return { error: new Error(`${left} tensors left behind on ${backend}`) };
    return outcome;
  }

  #guard() {
    const backend = this.tf.findBackend("heed");
    const guard = this.guards.get(backend) ?? new Guard(backend.wasm);
    this.guards.set(backend, guard);
    return guard;
  }

  /** After a fault of memory the heap may be anything. */
  async #restart() {
    await this.tf.setBackend("cpu");
    this.tf.removeBackend("heed");
    this.tf.registerBackend("heed", this.factory);
  }

  /** `undefined` where both have the same values, "" where there is nothing to compare, else what differs. */
  #compare(
    /** @type {Outcome} */ cpu,
    /** @type {Outcome} */ heed,
    /** @type {Program} */ program,
    /** @type {string} */ name,
  ) {
    if (heed.error) {
      const text = String(heed.error.stack ?? heed.error)
        .split("\n")
        .slice(0, 4)
        .join(" | ");
      if (cpu.error) {
        count(this.cpuRefused, `${name}: ${cpu.error.message.slice(0, 90)}`);
        return isFatal(heed.error) || heed.error.message.includes("past their end") ? text : "";
      }
      if (isRefusal(heed.error)) {
        count(this.refused, `${name}: ${heed.error.message.slice(0, 110)}`);
        return "";
      }
      return `heed throws ${text}`;
    }
    if (cpu.error) {
      count(this.cpuRefused, `${name}: ${cpu.error.message.slice(0, 90)}`);
      return "";
    }
    if (cpu.results.length !== heed.results.length) return "another number of results";
    for (const [i, want] of cpu.results.entries()) {
      const wrong = differ(want, heed.results[i], program);
      if (wrong) return `result ${i}: ${wrong}`;
    }
    return undefined;
  }
}

/** @returns {any[]} */
function tensorsIn(/** @type {any} */ value) {
  if (value === null || value === undefined) return [];
  if (value.dataId) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  return typeof value === "object" ? Object.values(value).flatMap(tensorsIn) : [];
}

const count = (/** @type {Record<string, number>} */ counts, /** @type {string} */ key) => {
  counts[key] = (counts[key] ?? 0) + 1;
};
const isMemory = (/** @type {Error | undefined} */ error) => error instanceof WebAssembly.RuntimeError;
const isFatal = (/** @type {Error | undefined} */ error) => isMemory(error) || error instanceof RangeError;
/** An error that heed throws on purpose. */
const isRefusal = (/** @type {any} */ error) => typeof error.code === "string" && "details" in error;

function differ(
  /** @type {Result} */ want,
  /** @type {Result} */ got,
  /** @type {Program} */ { terms = 1, loose = 8 },
) {
  if (String(want.shape) !== String(got.shape)) return `shape [${got.shape}], cpu has [${want.shape}]`;
  if (want.dtype !== got.dtype) return `dtype ${got.dtype}, cpu has ${want.dtype}`;
  if (want.values.length !== got.values.length)
    return `${got.values.length} values, cpu has ${want.values.length}`;
  const exact = want.dtype !== "float32" && want.dtype !== "complex64";
  let scale = 1;
  if (!exact)
    for (const v of /** @type {number[]} */ (want.values))
      if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
  for (let i = 0; i < want.values.length; i++) {
    const [a, b] = [want.values[i], got.values[i]];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (want.dtype === "bool" && Boolean(a) === Boolean(b)) continue;
    if (!exact) {
      const tolerance =
        EPSILON * (loose * Math.max(1, Math.abs(Number(a))) + (terms > 1 ? terms * scale : 0));
      if (Math.abs(Number(a) - Number(b)) <= tolerance) continue;
    }
    return `element ${i} is ${b}, cpu has ${a}`;
  }
  return undefined;
}
