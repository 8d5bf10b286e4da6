/** The campaign over the readers of checkpoints: whatever the bytes, tensors or one error of heed's own, and no more memory than they justify. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { mutate } from "./mutate.mjs";

const folder = path.resolve(import.meta.dirname, "../../test/fixtures/checkpoints");
const REPORT_EVERY_MS = 10_000;
/** A tensor of four bits a value grows eightfold as float32; what a reader keeps besides is small. */
const MOST_GROWTH = 8;

/** @typedef {{ openCheckpoint: Function, memoryBytes: Function, HeedError: Function, RandomStream: any }} Parts */

export const checkpoints = () =>
  readdirSync(folder)
    .filter((name) => !name.endsWith(".json"))
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(path.join(folder, name))) }));

/** What is wrong with how these bytes are read; undefined where nothing is. */
export async function faultOf(/** @type {Parts} */ parts, /** @type {Uint8Array} */ bytes) {
  const { openCheckpoint, memoryBytes, HeedError } = parts;
  const explain = (/** @type {unknown} */ error) =>
    error instanceof HeedError ? undefined : `${error instanceof Error ? error.stack : error}`;
  let checkpoint;
  try {
    checkpoint = await openCheckpoint(memoryBytes(bytes, "mutated"));
  } catch (error) {
    return explain(error);
  }
  try {
    for (const [name, { shape }] of checkpoint.tensors) {
      try {
        const values = await checkpoint.read(name);
        const size = shape.reduce((/** @type {number} */ all, /** @type {number} */ n) => all * n, 1);
        if (values.length !== size) return `${name}: ${values.length} values of shape [${shape}]`;
        if (values.length > MOST_GROWTH * bytes.length)
          return `${name}: ${values.length} values of ${bytes.length} bytes`;
      } catch (error) {
        const fault = explain(error);
        if (fault) return `${name}: ${fault}`;
      }
    }
  } finally {
    await checkpoint.close();
  }
  return undefined;
}

/** @returns the exit status */
export async function fuzzReaders(
  /** @type {{ mutations: number, seed: number, from: number, failures: number, only?: string[] | undefined }} */ {
    mutations,
    seed,
    from,
    failures,
    only,
  },
) {
  const [{ openCheckpoint, memoryBytes }, { HeedError }, { RandomStream }] = await Promise.all([
    import("../../build/checkpoints/index.js"),
    import("../../build/core/errors.js"),
    import("../../build/core/random.js"),
  ]);
  const parts = { openCheckpoint, memoryBytes, HeedError, RandomStream };
  let wrong = 0;
  let slowest = 0;
  for (const { name, bytes } of checkpoints().filter(({ name }) => !only || only.includes(name))) {
    let reported = Date.now();
    for (let index = from; index < mutations; index++) {
      const begun = performance.now();
      const fault = await faultOf(parts, mutate(bytes, new RandomStream(seed, index)));
      slowest = Math.max(slowest, performance.now() - begun);
      if (fault && wrong++ < failures)
        console.log(`\n${name}, mutation ${index} of seed ${seed}: ${fault}\n`);
      if (Date.now() - reported > REPORT_EVERY_MS) {
        reported = Date.now();
        console.log(`${name}: ${index + 1} of ${mutations} mutations, ${wrong} wrong`);
      }
    }
    console.log(`${name}: ${mutations - from} mutations, ${wrong} wrong so far`);
  }
  const mostMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(
    `${wrong} wrong; the slowest took ${slowest.toFixed(0)} ms, the process ${mostMiB} MiB at most`,
  );
  return wrong > 0 ? 1 : 0;
}
