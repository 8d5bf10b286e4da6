/** What onnxruntime-web was given and gave, for onnxruntime itself to do again: its native engine, through Python. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import type { Feeds, Given } from "./runtime.ts";

const python = process.env.HEED_PYTHON ?? "python3";
const { status } = spawnSync(python, ["-c", "import numpy, onnxruntime"], { stdio: "ignore" });
const why = status === 0 ? "" : ` (skipped: ${python} has no onnxruntime; set HEED_PYTHON to one that has)`;

/** Runs every file of a folder on what it was given; prints the largest difference, relative to the largest number, of each. */
const AGAIN = `
import json, sys, numpy, onnxruntime
from pathlib import Path
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
options.intra_op_num_threads = 1
out = {}
def array(given):
    return numpy.array(given["values"], dtype=given["type"]).reshape(given["shape"])
for file in sorted(Path(sys.argv[1]).glob("*.onnx")):
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    for call in sorted(file.parent.glob(file.stem + ".*.json")):
        call = json.loads(call.read_text())
        names = list(call["outputs"])
        feeds = {name: array(value) for name, value in call["feeds"].items()}
        for name, got in zip(names, session.run(names, feeds)):
            wanted = array(call["outputs"][name])
            assert got.shape == wanted.shape, (file.name, name, got.shape, wanted.shape)
            if got.size == 0:
                continue
            off = numpy.abs(got.astype("float64") - wanted).max() / max(1, numpy.abs(wanted).max())
            out[file.stem] = max(out.get(file.stem, 0), float(off))
print(json.dumps(out))
`;

const typeOf = ({ values }: Given): string =>
  values instanceof Float32Array
    ? "float32"
    : values instanceof Int32Array
      ? "int32"
      : values instanceof Uint8Array
        ? "bool"
        : "int64";
const written = (all: Feeds) =>
  Object.fromEntries(
    Object.entries(all).map(([name, given]) => [
      name,
      { type: typeOf(given), shape: given.shape, values: Array.from(given.values, Number) },
    ]),
  );

let folder: string | undefined;
let files = 0;

/** Keeps a file, and gives what keeps each of its calls; undefined where there is no native engine to ask. */
export function keep(file: Uint8Array): ((feeds: Feeds, outputs: Feeds) => void) | undefined {
  if (status !== 0) return undefined;
  folder ??= mkdtempSync(path.join(tmpdir(), "heed-onnx-"));
  mkdirSync(folder, { recursive: true });
  const stem = path.join(folder, String(files++).padStart(4, "0"));
  writeFileSync(`${stem}.onnx`, file);
  let calls = 0;
  return (feeds, outputs) => {
    const call = { feeds: written(feeds), outputs: written(outputs) };
    writeFileSync(`${stem}.${String(calls++).padStart(4, "0")}.json`, JSON.stringify(call));
  };
}

/** A test of a file's end: the native engine computes what was kept so far. */
export function testNative(least: number): void {
  it.skipIf(status !== 0)(
    `onnxruntime's native engine gives the same of every file${why}`,
    () => {
      const place = folder!;
      folder = undefined;
      const printed = execFileSync(python, ["-c", AGAIN, place], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        maxBuffer: 1 << 24,
      });
      const off = Object.entries(JSON.parse(printed) as Record<string, number>);
      expect(off.length).toBeGreaterThanOrEqual(least);
      expect(off.filter(([, most]) => !(most < 1e-5))).toEqual([]);
      rmSync(place, { recursive: true });
    },
    300_000,
  );
}
