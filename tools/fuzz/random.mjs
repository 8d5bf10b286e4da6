/**
 * Numbers, shapes and tensors by chance. Program n of a seed is the same on every machine and in every order, so that a
 * campaign can be resumed and one program run alone.
 */

const SIZES = [1, 2, 3, 4, 5, 6, 7];
const BINARY = [0, 1];

export class Random {
  #state;

  constructor(/** @type {number} */ seed, /** @type {number} */ index) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
    for (let i = 0; i < 3; i++) this.next();
  }

  /** From 0 to below 1 (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(/** @type {number} */ p) {
    return this.next() < p;
  }

  /** A whole number from `low` to `high`, both included. */
  int(/** @type {number} */ low, /** @type {number} */ high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  /** Numbers around 0 with a spread of about 1, at most 3.5. */
  normal() {
    let sum = 0;
    for (let i = 0; i < 6; i++) sum += this.next();
    return (sum - 3) * 1.2;
  }

  /** The size of an axis: now and then 0, often 1. */
  size(/** @type {number} */ zero = 0.03) {
    if (this.chance(zero)) return 0;
    return this.chance(0.2) ? 1 : this.pick(SIZES);
  }

  /** @returns {number[]} */
  shape(/** @type {number} */ low, /** @type {number} */ high = low, /** @type {number} */ zero = 0.03) {
    return Array.from({ length: this.int(low, high) }, () => this.size(zero));
  }

  /** A shape that broadcasts with this one. */
  partner(/** @type {number[]} */ shape) {
    const tail = shape.slice(this.chance(0.6) ? 0 : this.int(0, shape.length));
    return tail.map((size) => (this.chance(0.3) ? 1 : size));
  }

  /** Two shapes that broadcast with each other. @returns {[number[], number[]]} */
  pair(/** @type {number} */ high = 4) {
    const whole = this.shape(0, high);
    const [a, b] = [whole, this.partner(whole)];
    const mixed = /** @type {[number[], number[]]} */ ([
      a.map((n, i) => (b.length > a.length - i - 1 && b.at(i - a.length) !== 1 && this.chance(0.15) ? 1 : n)),
      b,
    ]);
    return this.chance(0.5) ? mixed : [mixed[1], mixed[0]];
  }

  /** Some axes of a tensor of this rank, in order. @returns {number[]} */
  axes(/** @type {number} */ rank) {
    return Array.from({ length: rank }, (_, i) => i).filter(() => this.chance(0.5));
  }

  /** An argument `axis`: none, one, counted from the end, or some. */
  axis(/** @type {number} */ rank) {
    if (rank === 0 || this.chance(0.25)) return "undefined";
    if (this.chance(0.5)) return String(this.int(-rank, rank - 1));
    return JSON.stringify(this.axes(rank));
  }

  /** @returns {number[]} */
  permutation(/** @type {number} */ n) {
    const list = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(0, i);
      [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
  }

  /**
   * A float32 tensor. `kind`: numbers of both signs, of one, whole numbers with ties, away from 0, between −1 and 1, or
   * with NaN and infinities.
   */
  floats(/** @type {number[]} */ shape, /** @type {string} */ kind = this.pick(KINDS)) {
    const draw = /** @type {Record<string, () => number>} */ ({
      normal: () => this.normal(),
      negative: () => -Math.abs(this.normal()) - 0.01,
      positive: () => Math.abs(this.normal()) + 0.01,
      whole: () => this.int(-3, 3),
      away: () => (this.chance(0.5) ? -1 : 1) * (0.4 + Math.abs(this.normal())),
      unit: () => this.next() * 1.9 - 0.95,
      large: () => this.normal() * 40,
      special: () =>
        this.chance(0.6) ? this.normal() : this.pick([0, -0, Number.NaN, Infinity, -Infinity, 1e-30, 1e30]),
    })[kind];
    const values = Array.from({ length: product(shape) }, () => Math.fround(draw()));
    return { shape, dtype: "float32", values };
  }

  ints(/** @type {number[]} */ shape, /** @type {number} */ low = -5, /** @type {number} */ high = 5) {
    const values = Array.from({ length: product(shape) }, () => this.int(low, high));
    return { shape, dtype: "int32", values };
  }

  bools(/** @type {number[]} */ shape) {
    return { shape, dtype: "bool", values: Array.from({ length: product(shape) }, () => this.pick(BINARY)) };
  }

  /** Mostly floats, else one of the other dtypes that hold numbers. */
  numbers(/** @type {number[]} */ shape, /** @type {string=} */ kind) {
    if (this.chance(0.75)) return this.floats(shape, kind);
    return this.chance(0.6) ? this.ints(shape) : this.bools(shape);
  }
}

const KINDS = ["normal", "normal", "normal", "negative", "positive", "whole"];

export const product = (/** @type {readonly number[]} */ shape) => shape.reduce((n, size) => n * size, 1);
