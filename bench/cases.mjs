/** Every case by its name: what travels between the processes. */
import { CASES, QUICK_CASES } from "./attention/cases.mjs";
import { EMBEDDING_CASES, QUICK_EMBEDDING_CASES } from "./embedding/cases.mjs";
import { QUICK_TASKS, TASKS } from "./training/tasks.mjs";

const ALL = [
  ...[...CASES, ...QUICK_CASES],
  ...[...TASKS, ...QUICK_TASKS],
  ...[...EMBEDDING_CASES, ...QUICK_EMBEDDING_CASES],
];

/** @returns {any} */
export const caseOf = (/** @type {string} */ name) => ALL.find((c) => c.name === name);
