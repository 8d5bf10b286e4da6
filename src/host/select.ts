import { ready, setBackend } from "@tensorflow/tfjs-core";
import { BACKEND } from "./register.ts";

/** Loads the `heed` backend and makes it TensorFlow.js' current one. */
export async function useHeedBackend(): Promise<void> {
  await import("./backend.ts");
  await setBackend(BACKEND);
  await ready();
}
