/**
 * Functions of scores in the tables of kernels: a module is compiled when a call first needs it, on the kernels' own
 * memory, and kept among the last ones. Workers compile it from its bytes in shared memory, which a job says where to find.
 */

import { keyOf } from "../../core/expression/expression.ts";
import { buildModule, FUNCTIONS, type ModuleSource } from "../../core/expression/wasm/module.ts";
import type { KernelExports } from "./load.ts";
import { FUNCTION_COUNT, FUNCTION_SETS, firstPlace } from "./pool/work.js";

/** A module, and what tells it from others: equal functions of other calls share it. */
export interface FunctionModule {
  readonly key: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly id: number;
}

/** Where threads find the functions of a job. */
export interface PlacedFunctions {
  readonly id: number;
  /** Which of the sets in the table. */
  readonly set: number;
  /** The module's bytes in the kernels' memory. */
  readonly address: number;
  readonly bytes: number;
}

/** Modules that were made, the latest last. */
const made = new Map<string, FunctionModule>();
const MOST_MADE = 4 * FUNCTION_SETS;
let count = 0;

/** The module of some functions for a memory that is shared, or is not. */
export function functionModule(source: ModuleSource, isShared: boolean): FunctionModule {
  const { score, mask, tensors, learned } = source;
  const roots = [...(score ? [score] : []), ...(mask ? [mask] : [])];
  const plans = tensors.map(({ name, rank, hasAllQueries, hasAllKeys }) => [
    name,
    rank,
    hasAllQueries,
    hasAllKeys,
  ]);
  const key = JSON.stringify([isShared, Boolean(score), Boolean(mask), keyOf(roots), plans, learned]);
  const known = made.get(key);
  if (known) return known;
  const bytes = buildModule(source, isShared);
  count++;
  const module = { key, bytes, id: count };
  made.set(key, module);
  if (made.size > MOST_MADE) made.delete(made.keys().next().value!);
  return module;
}

interface Table {
  readonly table: WebAssembly.Table;
  /** The modules of its sets, by key, and the next set to be taken. */
  readonly ids: number[];
  next: number;
}

const tables = new WeakMap<KernelExports, Table>();

function tableOf(kernels: KernelExports): Table {
  let known = tables.get(kernels);
  if (!known) {
    const { table } = kernels as unknown as { table: WebAssembly.Table };
    table.grow(Math.max(0, firstPlace(FUNCTION_SETS) - table.length));
    known = { table, ids: [], next: 0 };
    tables.set(kernels, known);
  }
  return known;
}

/** Puts a module's functions into the kernels' table, unless they are there, and says in which set. */
export function installFunctions(
  kernels: KernelExports,
  memory: WebAssembly.Memory,
  { bytes, id }: FunctionModule,
): number {
  const known = tableOf(kernels);
  const present = known.ids.indexOf(id);
  if (present >= 0) return present;
  const set = known.next;
  known.next = (set + 1) % FUNCTION_SETS;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  for (let n = 0; n < FUNCTION_COUNT; n++) {
    known.table.set(
      firstPlace(set) + n,
      (instance.exports[FUNCTIONS[n]!] ?? null) as WebAssembly.ExportValue,
    );
  }
  known.ids[set] = id;
  return set;
}
