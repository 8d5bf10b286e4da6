import { ready, setBackend } from "@tensorflow/tfjs-core";
import { HeedError } from "../core/errors.ts";
import { BACKEND } from "./register.ts";

/**
 * Loads the `heed` backend and makes it TensorFlow.js' current one.
 *
 * @throws HeedError BACKEND when it cannot start; TensorFlow.js would go on with another one, silently
 */
export async function useHeedBackend(): Promise<void> {
  await import("./backend.ts");
  if (!(await setBackend(BACKEND)))
    throw new HeedError("BACKEND", { op: "useHeedBackend", backend: BACKEND });
  await ready();
}
