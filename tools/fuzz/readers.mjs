/** The campaign over the readers of files: whatever the bytes, what they hold or one error of heed's own, and no more memory than they justify. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { faultOfFile, MODULES, modelFiles } from "./model-files.mjs";
import { mutate } from "./mutate.mjs";

const folder = path.resolve(import.meta.dirname, "../../test/fixtures/checkpoints");
const REPORT_EVERY_MS = 10_000;
/** A tensor of four bits a value grows eightfold as float32; what a reader keeps besides is small. */
const MOST_GROWTH = 8;

/** @typedef {{ openCheckpoint: Function, memoryBytes: Function, HeedError: Function }} Parts */

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
  const [{ RandomStream }, ...modules] = await Promise.all(
    ["core/random", ...MODULES].map((name) => import(`../../build/${name}.js`)),
  );
  const parts = Object.assign({}, ...modules);
  /** @type {{ name: string, fault: (random: any) => Promise<string | undefined> }[]} */
  const readers = [
    ...checkpoints().map(({ name, bytes }) => ({
      name,
      fault: (/** @type {any} */ random) => faultOf(parts, mutate(bytes, random)),
    })),
    ...(await modelFiles(parts)).map((reader) => ({
      name: reader.name,
      fault: (/** @type {any} */ random) => faultOfFile(parts, reader, random),
    })),
  ];
  const isWanted = (/** @type {string} */ name) => !only || only.some((part) => name.includes(part));
  let wrong = 0;
  let slowest = { ms: 0, what: "none" };
  for (const { name, fault } of readers.filter(({ name }) => isWanted(name))) {
    let reported = Date.now();
    for (let index = from; index < mutations; index++) {
      const begun = performance.now();
      const found = await fault(new RandomStream(seed, index));
      const ms = performance.now() - begun;
      if (ms > slowest.ms) slowest = { ms, what: `mutation ${index} of ${name}` };
      if (found && wrong++ < failures)
        console.log(`\n${name}, mutation ${index} of seed ${seed}: ${found}\n`);
      if (Date.now() - reported > REPORT_EVERY_MS) {
        reported = Date.now();
        console.log(`${name}: ${index + 1} of ${mutations} mutations, ${wrong} wrong`);
      }
    }
    console.log(`${name}: ${mutations - from} mutations, ${wrong} wrong so far`);
  }
  const mostMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(
    `${wrong} wrong; the slowest took ${slowest.ms.toFixed(0)} ms (${slowest.what}), the process ${mostMiB} MiB at most`,
  );
  return wrong > 0 ? 1 : 0;
}
