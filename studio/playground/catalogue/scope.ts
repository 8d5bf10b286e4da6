/** What the code of a mechanism may call: everything that heed publishes of attention, and TensorFlow.js' operations. */
import * as attention from "../../../src/attention/index.ts";
import type { Scope } from "../../script/scope.ts";
import { scopeWith } from "../../script/table.ts";

const FUNCTIONS = Object.fromEntries(Object.entries(attention).filter(([, value]) => isOffered(value)));

/** Classes cannot be called, and scripts make nothing with `new`. */
function isOffered(value: unknown): boolean {
  return typeof value !== "function" || !/^class\b/.test(String(value));
}

export const attentionScope = (): Scope => scopeWith(FUNCTIONS);

/** The functions of heed, by name. */
export const isMechanism = (name: string): boolean => typeof FUNCTIONS[name] === "function";
