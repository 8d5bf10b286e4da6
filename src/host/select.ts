import { ready, setBackend } from "@tensorflow/tfjs-core";
import { HeedError } from "../core/errors.ts";
import { BACKEND } from "./register.ts";

/**
 * Loads the `heed` backend and makes it TensorFlow.js' current one.
 *
 * @throws HeedError UNSUPPORTED when it cannot start; TensorFlow.js would go on with another one, silently
 */
export async function useHeedBackend(): Promise<void> {
  await import("./backend.ts");
  if (!(await setBackend(BACKEND)))
    throw new HeedError("UNSUPPORTED", {
      op: "useHeedBackend",
      rule: `the backend "${BACKEND}" must start`,
      got: "a failure, whose reason TensorFlow.js has printed",
      remedy: "check that WebAssembly with SIMD is there and that its files can be loaded",
    });
  await ready();
}
