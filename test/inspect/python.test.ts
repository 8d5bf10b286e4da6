import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { layerMap, readTrace } from "../../src/inspect/index.ts";

const example = path.resolve(import.meta.dirname, "../../examples/python/write-trace.py");
const python = process.env.HEED_PYTHON ?? "python3";
const { status } = spawnSync(python, ["-c", "import numpy, safetensors.numpy"], { stdio: "ignore" });
const why =
  status === 0 ? "" : ` (skipped: ${python} has no numpy and safetensors; set HEED_PYTHON to one that has)`;

it.skipIf(status !== 0)(`a trace that Python wrote is read, its two layers alike${why}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "heed-python-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "trace.attn");
  execFileSync(python, [example, file]);
  const trace = readTrace(readFileSync(file));
  expect(trace.tokens.src).toEqual(["The", "cat", "sat", "on", "the", "mat"]);
  const [stored, recomputed] = trace.layers.map((layer) => layerMap(layer));
  expect([stored!.source, recomputed!.source]).toEqual(["dense", "qk"]);
  for (let h = 0; h < 2; h++) {
    const [a, b] = [stored!.rows(h, 0, 6), recomputed!.rows(h, 0, 6)];
    expect(b.kinds).toEqual(a.kinds);
    // Python rounds lse, below 8, to float32: 8·2⁻²⁴ of a weight, and its own to 2⁻²⁴.
    for (const [e, w] of a.values.entries()) expect(Math.abs(b.values[e]! - w)).toBeLessThan(9 * 2 ** -24);
  }
});

it("the example in Python has at most 20 lines", () => {
  expect(readFileSync(example, "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(20);
});
