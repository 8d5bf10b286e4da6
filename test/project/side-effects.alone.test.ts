import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const { exports: entries } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const ELEMENTS = ["heed/elements", "heed/elements/figures"];
const BACKEND = "heed/backend";
const specifiers = Object.keys(entries)
  .filter((entry) => entry !== "./package.json")
  .map((entry) => entry.replace(/^\./, "heed"))
  .filter((name) => name !== BACKEND && !ELEMENTS.includes(name));

interface Registered {
  backends: string[];
  kernels: number;
  /** Listeners of the process. */
  listeners: number;
  /** Names of globals. */
  added: string[];
}

/**
 * Imports the built entry points one after the other in a fresh process, and tells after each what is registered there by
 * then. What may register something comes last, so that each of the others is seen alone.
 */
function registeredAfter(names: readonly string[]): Record<string, Registered> {
  const script = `
    import * as tf from "@tensorflow/tfjs-core";
    const kernels = () => ["cpu", "wasm", "heed", "webgpu"].flatMap((name) => tf.getKernelsForBackend(name)).length;
    const globals = new Set(Object.getOwnPropertyNames(globalThis));
    const states = {};
    for (const name of ${JSON.stringify(names)}) {
      await import(name);
      const added = Object.getOwnPropertyNames(globalThis).filter((name) => !globals.has(name));
      const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
      states[name] = { backends: Object.keys(tf.engine().registryFactory), kernels: kernels(), listeners, added };
    }
    console.log(JSON.stringify(states));
  `;
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root, encoding: "utf8" }),
  );
}

describe("importing", () => {
  const states = registeredAfter(["node:path", ...specifiers, ...ELEMENTS, BACKEND]);
  const bare = states["node:path"]!;

  test.each(specifiers)(
    "%s registers no backend and no kernel, and leaves the process alone",
    (specifier) => {
      expect(states[specifier]).toEqual(bare);
    },
  );

  test.each(ELEMENTS)(
    "%s in Node registers nothing with TensorFlow.js; lit leaves names of its own",
    (specifier) => {
      expect({ ...states[specifier]!, added: [] }).toEqual({ ...bare, added: [] });
    },
  );

  test("heed/backend registers the backend `heed`, which shows that the check can see one", () => {
    const { backends, kernels } = states[BACKEND]!;
    expect(backends).toContain("heed");
    expect(kernels).toBeGreaterThan(bare.kernels);
  });
});
