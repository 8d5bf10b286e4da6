// What a mechanism can do on each backend, measured: its example runs once on `cpu`, and every call of the mechanism
// is then made again on each backend with the same numbers. A tick means that the results are those of `cpu`.
import * as tf from "@tensorflow/tfjs-core";
import { givenScope, runCode } from "./run.mjs";

/** @import { Scope } from "./run.mjs" */

export const BACKENDS = ["heed", "cpu", "wasm", "webgpu"];

/** How far results may be apart, of the largest number: float32, and sums in another order. */
const TOLERANCE = 1e-4;

/** Makes a backend the current one; false where it cannot be had. */
async function choose(/** @type {string} */ backend, /** @type {Scope} */ { useWebGpu }) {
  if (backend !== "webgpu") return tf.setBackend(backend);
  const start = /** @type {() => Promise<unknown>} */ (useWebGpu);
  return start().then(
    () => true,
    () => false,
  );
}

/** The numbers of tensors, which are disposed; results of `webgpu` must be waited for. */
async function read(/** @type {tf.Tensor[]} */ tensors) {
  const numbers = [];
  for (const tensor of tensors) {
    numbers.push((await tensor.data()).slice());
    tensor.dispose();
  }
  return numbers;
}

class Held {
  constructor(/** @type {tf.Tensor} */ tensor) {
    this.shape = tensor.shape;
    this.dtype = tensor.dtype;
    this.values = tensor.dataSync().slice();
  }
  tensor() {
    return tf.tensor(this.values, this.shape, this.dtype);
  }
}

const isPlain = (/** @type {unknown} */ x) =>
  typeof x === "object" && x !== null && [Object.prototype, null].includes(Object.getPrototypeOf(x));

/** A value with every tensor in it replaced. */
function mapped(/** @type {unknown} */ x, /** @type {(leaf: unknown) => unknown} */ change) {
  const next = change(x);
  if (next !== x) return next;
  if (Array.isArray(x)) return x.map((one) => mapped(one, change));
  if (!isPlain(x)) return x;
  return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, mapped(value, change)]));
}

/** The tensors in what a mechanism gives. */
function tensorsOf(/** @type {unknown} */ result) {
  if (result instanceof tf.Tensor) return [result];
  if (Array.isArray(result)) return result.flatMap(tensorsOf);
  return isPlain(result) ? Object.values(/** @type {object} */ (result)).flatMap(tensorsOf) : [];
}

const isScore = (/** @type {any} */ x) => typeof x?.score === "function" && typeof x.prepare === "function";

/**
 * A mechanism whose result is a score or a normaliser is measured by what that gives: the last arguments are then
 * queries and keys, or scores.
 *
 * @param {Function} mechanism @param {unknown[][]} calls
 */
function applied(mechanism, calls) {
  const made = calls.length > 0 ? mechanism(.../** @type {unknown[]} */ (released(calls[0]))) : undefined;
  const { queries, keys } = givenScope();
  if (isScore(made)) {
    const f = (/** @type {any[]} */ ...args) => {
      const score = mechanism(...args.slice(0, -2));
      return score.score(args.at(-2), score.prepare(args.at(-1)));
    };
    return { f, calls: calls.map((args) => [...args, new Held(queries), new Held(keys)]) };
  }
  if (typeof made === "function") {
    const f = (/** @type {any[]} */ ...args) => mechanism(...args.slice(0, -1))(args.at(-1));
    return { f, calls: calls.map((args) => [...args, new Held(queries)]) };
  }
  return { f: mechanism, calls };
}

/** Every call that an example makes of a mechanism, its tensors held as numbers. */
async function callsOf(/** @type {string} */ name, /** @type {string} */ code, /** @type {Scope} */ scope) {
  /** @type {unknown[][]} */
  const calls = [];
  const mechanism = /** @type {Function} */ (scope[name]);
  // A class holds state between calls: there is no one call to repeat.
  if (/^class\b/.test(Function.prototype.toString.call(mechanism))) return calls;
  const spy = (/** @type {unknown[]} */ ...args) => {
    calls.push(/** @type {unknown[]} */ (mapped(args, (x) => (x instanceof tf.Tensor ? new Held(x) : x))));
    return mechanism(...args);
  };
  await runCode(code, { ...givenScope(), ...scope, [name]: spy });
  return calls;
}

const released = (/** @type {unknown} */ args) => mapped(args, (x) => (x instanceof Held ? x.tensor() : x));

/** The numbers of a call, or undefined where it fails. */
async function forward(/** @type {Function} */ mechanism, /** @type {unknown[]} */ args) {
  try {
    return await read(tf.tidy(() => tensorsOf(mechanism(.../** @type {unknown[]} */ (released(args))))));
  } catch {
    return undefined;
  }
}

/** Cotangents, made here: a device's own cosine is not that of another. */
const cotangent = (/** @type {tf.Tensor} */ { size, shape }) =>
  tf.tensor(
    Float32Array.from({ length: size }, (_, n) => Math.cos(n + 1)),
    shape,
  );

/** The gradient of a fixed sum of a call's results in each floating-point input that has one. */
async function gradients(/** @type {Function} */ mechanism, /** @type {unknown[]} */ args) {
  /** @type {Held[]} */
  const inputs = [];
  mapped(args, (x) => {
    if (x instanceof Held && x.dtype === "float32" && !inputs.includes(x)) inputs.push(x);
    return x instanceof Held ? null : x;
  });
  const found = [];
  for (const input of inputs) {
    const f = (/** @type {tf.Tensor} */ x) => {
      const given = mapped(args, (one) => (one === input ? x : one instanceof Held ? one.tensor() : one));
      const parts = tensorsOf(mechanism(.../** @type {unknown[]} */ (given)))
        .filter((tensor) => tensor.dtype === "float32" && tensor.size > 0)
        .map((tensor) => tf.sum(tf.mul(tensor, cotangent(tensor))));
      return parts.length === 1 ? parts[0] : tf.addN(parts);
    };
    try {
      found.push((await read([tf.tidy(() => tf.grad(f)(input.tensor()))]))[0]);
    } catch {
      found.push(undefined);
    }
  }
  return found;
}

/** Whether numbers are the same up to float32. */
function same(/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) {
  const finite = Array.from(b).filter(Number.isFinite).map(Math.abs);
  const size = Math.max(1, ...finite);
  return (
    a.length === b.length &&
    Array.from(a).every((x, n) => Object.is(x, b[n]) || x === b[n] || Math.abs(x - b[n]) <= TOLERANCE * size)
  );
}

/**
 * For each backend `{ forward, gradient }`; gradient is undefined where no input of the mechanism has one on `cpu`.
 *
 * @param {string} name @param {string | undefined} code @param {Scope} scope @param {readonly string[]} backends
 */
export async function ticks(name, code, scope, backends = BACKENDS) {
  /** @type {Record<string, { forward: boolean, gradient: boolean | undefined }>} */
  const found = {};
  if (code === undefined) return found;
  await tf.setBackend("cpu");
  const { f: mechanism, calls } = applied(
    /** @type {Function} */ (scope[name]),
    await callsOf(name, code, scope),
  );
  const truth = [];
  for (const args of calls) {
    truth.push({ values: await forward(mechanism, args), gradients: await gradients(mechanism, args) });
  }
  if (!truth.some(({ values }) => values && values.length > 0)) return found;
  const moves = truth.some((one) => one.gradients.some((gradient) => gradient?.some((x) => x !== 0)));
  for (const backend of backends) {
    if (!(await choose(backend, scope))) continue;
    const here = [];
    for (const args of calls) {
      const values = await forward(mechanism, args);
      here.push({ values, gradients: moves ? await gradients(mechanism, args) : [] });
    }
    found[backend] = {
      forward: truth.every(({ values }, call) => {
        const got = here[call].values;
        return (
          values !== undefined && got !== undefined && values.every((numbers, n) => same(got[n], numbers))
        );
      }),
      gradient: moves
        ? truth.every((one, call) =>
            one.gradients.every((numbers, n) => {
              const got = here[call].gradients[n];
              return !numbers || (got && numbers.every(Number.isFinite) && same(got, numbers));
            }),
          )
        : undefined,
    };
  }
  await tf.setBackend("cpu");
  return found;
}
