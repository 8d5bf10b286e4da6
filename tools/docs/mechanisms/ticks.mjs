// What a mechanism can do on each backend, measured: its example runs once on `cpu`, and every call of the mechanism
// is then made again on each backend with the same numbers. A tick means that the results are those of `cpu`.
import * as tf from "@tensorflow/tfjs-core";
import { givenScope, runCode } from "./run.mjs";

/** @import { Scope } from "./run.mjs" */

export const BACKENDS = ["heed", "cpu", "wasm"];

/** How far results may be apart, of the largest number: float32, and sums in another order. */
const TOLERANCE = 1e-4;

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
function forward(/** @type {Function} */ mechanism, /** @type {unknown[]} */ args) {
  try {
    return tf.tidy(() => {
      const tensors = tensorsOf(mechanism(.../** @type {unknown[]} */ (released(args))));
      return tensors.map((tensor) => tensor.dataSync().slice());
    });
  } catch {
    return undefined;
  }
}

/** The gradient of a fixed sum of a call's results in each floating-point input that has one. */
function gradients(/** @type {Function} */ mechanism, /** @type {unknown[]} */ args) {
  /** @type {Held[]} */
  const inputs = [];
  mapped(args, (x) => {
    if (x instanceof Held && x.dtype === "float32" && !inputs.includes(x)) inputs.push(x);
    return x instanceof Held ? null : x;
  });
  return inputs.map((input) => {
    try {
      return tf.tidy(() => {
        const f = (/** @type {tf.Tensor} */ x) => {
          const given = mapped(args, (one) => (one === input ? x : one instanceof Held ? one.tensor() : one));
          const parts = tensorsOf(mechanism(.../** @type {unknown[]} */ (given)))
            .filter((tensor) => tensor.dtype === "float32" && tensor.size > 0)
            .map((tensor) =>
              tf.sum(tf.mul(tensor, tf.reshape(tf.cos(tf.range(1, tensor.size + 1)), tensor.shape))),
            );
          return parts.length === 1 ? parts[0] : tf.addN(parts);
        };
        return tf.grad(f)(input.tensor()).dataSync().slice();
      });
    } catch {
      return undefined;
    }
  });
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
 * @param {string} name @param {string | undefined} code @param {Scope} scope
 */
export async function ticks(name, code, scope) {
  /** @type {Record<string, { forward: boolean, gradient: boolean | undefined }>} */
  const found = {};
  if (code === undefined) return found;
  await tf.setBackend("cpu");
  const { f: mechanism, calls } = applied(
    /** @type {Function} */ (scope[name]),
    await callsOf(name, code, scope),
  );
  const truth = calls.map((args) => ({
    values: forward(mechanism, args),
    gradients: gradients(mechanism, args),
  }));
  if (!truth.some(({ values }) => values && values.length > 0)) return found;
  const moves = truth.some((one) => one.gradients.some((gradient) => gradient?.some((x) => x !== 0)));
  for (const backend of BACKENDS) {
    await tf.setBackend(backend);
    found[backend] = {
      forward: truth.every(({ values }, call) => {
        const here = forward(mechanism, calls[call]);
        return (
          values !== undefined && here !== undefined && values.every((numbers, n) => same(here[n], numbers))
        );
      }),
      gradient: moves
        ? truth.every((one, call) => {
            const here = gradients(mechanism, calls[call]);
            return one.gradients.every(
              (numbers, n) =>
                !numbers || (here[n] && numbers.every(Number.isFinite) && same(here[n], numbers)),
            );
          })
        : undefined,
    };
  }
  await tf.setBackend("cpu");
  return found;
}
