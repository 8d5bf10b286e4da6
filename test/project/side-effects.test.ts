import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const { exports: entries } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const specifiers = Object.keys(entries)
  .filter((entry) => entry !== "./package.json")
  .map((entry) => entry.replace(/^\./, "heed"));

/** Imports the built entry point in a fresh process and tells what TensorFlow.js has registered afterwards. */
function registered(specifier: string): { backends: string[]; kernels: number; listeners: number } {
  const script = `
    import * as tf from "@tensorflow/tfjs-core";
    const kernels = () => ["cpu", "wasm", "heed", "webgpu"].flatMap((name) => tf.getKernelsForBackend(name)).length;
    const globals = new Set(Object.getOwnPropertyNames(globalThis));
    await import(${JSON.stringify(specifier)});
    const added = Object.getOwnPropertyNames(globalThis).filter((name) => !globals.has(name));
    const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
    console.log(JSON.stringify({ backends: Object.keys(tf.engine().registryFactory), kernels: kernels(), listeners, added }));
  `;
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root, encoding: "utf8" }),
  );
}

const bare = registered("node:path");

const ELEMENTS = ["heed/elements", "heed/elements/figures"];
const REGISTERING = ["heed/backend", ...ELEMENTS];

for (const specifier of specifiers.filter((name) => !REGISTERING.includes(name))) {
  test(`importing ${specifier} registers no backend and no kernel, and leaves the process alone`, () => {
    expect(registered(specifier)).toEqual(bare);
  });
}

for (const specifier of ELEMENTS) {
  test(`importing ${specifier} in Node registers nothing with TensorFlow.js; lit leaves names of its own`, () => {
    const { backends, kernels, listeners } = registered(specifier);
    expect({ backends, kernels, listeners }).toEqual({
      backends: bare.backends,
      kernels: bare.kernels,
      listeners: bare.listeners,
    });
  });
}

test("importing heed/backend registers the backend `heed`, which shows that the check can see one", () => {
  const { backends, kernels } = registered("heed/backend");
  expect(backends).toContain("heed");
  expect(kernels).toBeGreaterThan(bare.kernels);
});
