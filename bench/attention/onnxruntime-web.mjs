/** ONNX Runtime for browsers, its WebAssembly provider; the package publishes builds with SIMD and threads. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { folderOf, versionOf } from "../machine.mjs";
import { onnxPeer } from "./onnxruntime.mjs";

export async function load(/** @type {{ threads: number, simd?: "relaxed" }} */ { threads, simd }) {
  const folder = path.join(folderOf("onnxruntime-web"), "dist");
  if (simd === "relaxed" && !readdirSync(folder).some((file) => /relaxed.*\.wasm$/.test(file))) {
    throw new Error("the package has no build with relaxed SIMD");
  }
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = threads;
  if (simd) ort.env.wasm.simd = simd;
  return {
    ...onnxPeer(ort, { threads, provider: "wasm" }),
    versions: { "onnxruntime-web": versionOf("onnxruntime-web") },
  };
}
