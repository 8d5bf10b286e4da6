/** ONNX Runtime, native: the whole instruction set of the machine, outside of WebAssembly. */
import { versionOf } from "../machine.mjs";
import { onnxPeer } from "./onnxruntime.mjs";

export async function load(/** @type {{ threads: number }} */ { threads }) {
  const ort = await import("onnxruntime-node");
  return {
    ...onnxPeer(ort.default ?? ort, { threads, provider: "cpu" }),
    versions: { "onnxruntime-node": versionOf("onnxruntime-node") },
  };
}
