/** Every case by its name: what travels between the processes. */
import { CASES, QUICK_CASES } from "./attention/cases.mjs";
import { QUICK_TASKS, TASKS } from "./training/tasks.mjs";

/** @returns {any} */
export const caseOf = (/** @type {string} */ name) =>
  [...CASES, ...QUICK_CASES, ...TASKS, ...QUICK_TASKS].find((c) => c.name === name);
