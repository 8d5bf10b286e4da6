import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compileKernels, dataSegments } from "../../../tools/build.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "heed-build-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function source(name: string, text: string): string {
  const file = path.join(folder, `${name}.ts`);
  writeFileSync(file, text);
  return path.relative(process.cwd(), file);
}

describe("The build of the kernels", () => {
  it("compiles a source without data", async () => {
    const binary = await compileKernels(
      source("plain", "export function twice(x: i32): i32 { return x + x; }"),
      [],
    );
    expect(dataSegments(binary)).toBe(0);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(binary), { env: { memory } });
    expect((exports.twice as (x: number) => number)(21)).toBe(42);
  });

  it.each([
    ["string", "export function letter(i: i32): i32 { return 'attention'.charCodeAt(i); }"],
    [
      "array",
      "const table: StaticArray<f32> = [1, 2, 3];\nexport function entry(i: i32): f32 { return table[i]; }",
    ],
    ["logarithm", "export function log(x: f32): f32 { return Mathf.log(x); }"],
  ])("refuses a source whose %s would overwrite TensorFlow.js' statics", async (name, text) => {
    const file = source(name, text);
    await expect(compileKernels(file, [])).rejects.toThrow(
      /^build: a kernel module must have no data segment, got [1-9]\d* in .*; a string, a static array or a library function with a table \(Mathf\.log, Mathf\.exp\) came in: compute the values instead$/,
    );
  });

  it("passes on what AssemblyScript says about a mistake", async () => {
    const file = source("mistake", "export function f(): i32 { return nothing; }");
    await expect(compileKernels(file, [])).rejects.toThrow(
      /^build: AssemblyScript refused .*Cannot find name 'nothing'/s,
    );
  });

  it.each(["relaxed", "plain", "relaxedShared", "plainShared"])(
    "gave the %s module no data segment",
    (name) => {
      const text = readFileSync(
        new URL(`../../../src/kernels/wasm/generated/${name}.ts`, import.meta.url),
        "utf8",
      );
      expect(dataSegments(Buffer.from(text.match(/"(.+)"/)![1]!, "base64"))).toBe(0);
    },
  );
});
