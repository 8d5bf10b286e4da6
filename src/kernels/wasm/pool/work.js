// @ts-check
// What every thread of a pool does. Plain JavaScript, because worker threads load it as it is.
//
// A job is a kernel and a table of calls in the shared memory, below everything else. Its words are written before
// REMAINING is, and stay what they are until COMPLETED has counted every call, so whoever has taken a call by lowering
// REMAINING may read them; a thread that wakes late finds nothing to take, or calls of a later job, which it may do.

/** Bytes before the control block, where nothing ever stands. */
export const CONTROL_START = 1024;
/** Words of the table. */
export const TABLE_WORDS = 16384;

/** Words of the control block. The table follows. */
export const WORD = {
  /** Counts jobs; a thread that has nothing to do waits for it to change. */
  WAKE: 0,
  /** Calls that nobody has taken. */
  REMAINING: 1,
  COMPLETED: 2,
  /** Calls that threw. */
  FAILED: 3,
  STOP: 4,
  /** The kernel, as a place in the list of exports. */
  KERNEL: 5,
  /** Calls in the table, and the arguments of each. */
  CALLS: 6,
  WIDTH: 7,
  /** Where threads have their scratch, and how many bytes of it; 0: the kernel needs none. */
  SCRATCH: 8,
  SCRATCH_BYTES: 9,
  /** The module of functions of scores that the calls of the job use, by its number, 0: none; its set in the table; its bytes. */
  FUNCTIONS: 10,
  FUNCTION_SET: 11,
  FUNCTION_ADDRESS: 12,
  FUNCTION_BYTES: 13,
  TABLE: 16,
};

/** Loads of a word before a thread goes to sleep: about 0.1 ms, within which the next job of a pass comes. */
export const SPINS = 20_000;

/** Functions of a module, and how many modules a table holds; the last ones stay. */
export const FUNCTION_COUNT = 5;
export const FUNCTION_SETS = 32;
/** In the order of core/expression/wasm/module.ts. */
const FUNCTION_NAMES = ["plan", "keys", "queries", "slopes", "gradients"];

/**
 * The place in the table of a set's first function; place 0 stays empty.
 *
 * @param {number} set
 */
export const firstPlace = (set) => 1 + set * FUNCTION_COUNT;

/** @typedef {{ memory: WebAssembly.Memory, table: WebAssembly.Table, ids: number[] }} Functions What a thread has in its table. */

/**
 * Compiles the functions of the job from their bytes, unless this thread has them.
 *
 * @param {Int32Array} control
 * @param {Functions} functions
 */
function installFunctions(control, { memory, table, ids }) {
  const [id, set] = [control[WORD.FUNCTIONS], control[WORD.FUNCTION_SET]];
  if (ids[set] === id) return;
  const bytes = new Uint8Array(
    memory.buffer,
    control[WORD.FUNCTION_ADDRESS],
    control[WORD.FUNCTION_BYTES],
  ).slice();
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  if (table.length < firstPlace(FUNCTION_SETS)) table.grow(firstPlace(FUNCTION_SETS) - table.length);
  for (let n = 0; n < FUNCTION_COUNT; n++) table.set(firstPlace(set) + n, exports[FUNCTION_NAMES[n]] ?? null);
  ids[set] = id;
}

/** @typedef {((...args: number[]) => number)[]} Kernels The exports of the module, in their order. */

/**
 * Takes calls and does them until none is left.
 *
 * @param {Int32Array} control
 * @param {Kernels} kernels
 * @param {number} thread
 * @param {Functions} [functions] where this thread compiles functions of scores; the main one has them already
 */
export function work(control, kernels, thread, functions) {
  for (;;) {
    const left = Atomics.load(control, WORD.REMAINING);
    if (left <= 0) return;
    if (Atomics.compareExchange(control, WORD.REMAINING, left, left - 1) !== left) continue;
    const width = control[WORD.WIDTH];
    const first = WORD.TABLE + (control[WORD.CALLS] - left) * width;
    const args = Array.from(control.subarray(first, first + width));
    if (control[WORD.SCRATCH]) args.push(control[WORD.SCRATCH] + thread * control[WORD.SCRATCH_BYTES]);
    try {
      if (functions && control[WORD.FUNCTIONS]) installFunctions(control, functions);
      kernels[control[WORD.KERNEL]](...args);
    } catch {
      Atomics.add(control, WORD.FAILED, 1);
    }
    if (Atomics.add(control, WORD.COMPLETED, 1) + 1 === control[WORD.CALLS]) {
      Atomics.notify(control, WORD.COMPLETED);
    }
  }
}

/**
 * Works on one job after another until STOP. Spins for a moment between jobs, then sleeps.
 *
 * @param {Int32Array} control
 * @param {Kernels} kernels
 * @param {number} thread
 * @param {Functions} functions
 */
export function serve(control, kernels, thread, functions) {
  let seen = Atomics.load(control, WORD.WAKE);
  while (!Atomics.load(control, WORD.STOP)) {
    work(control, kernels, thread, functions);
    let spins = 0;
    while (Atomics.load(control, WORD.WAKE) === seen && spins < SPINS) spins++;
    if (spins === SPINS) Atomics.wait(control, WORD.WAKE, seen);
    seen = Atomics.load(control, WORD.WAKE);
  }
}

/**
 * The control block and the table, as one view that outlives growth of the memory.
 *
 * @param {WebAssembly.Memory} memory
 */
export function controlOf(memory) {
  return new Int32Array(memory.buffer, CONTROL_START, WORD.TABLE + TABLE_WORDS);
}

/**
 * The kernels on a memory, by place, and their table.
 *
 * @param {WebAssembly.Module} module
 * @param {WebAssembly.Memory} memory
 * @returns {{ kernels: Kernels, table: WebAssembly.Table }}
 */
export function kernelsByPlace(module, memory) {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = WebAssembly.Module.exports(module).map(
    ({ name }) => /** @type {(...args: number[]) => number} */ (exports[name]),
  );
  return { kernels, table: /** @type {WebAssembly.Table} */ (exports.table) };
}
