import { ready, setBackend } from "@tensorflow/tfjs-core";
import { BACKEND } from "./register.ts";

/** Loads and selects the `heed` backend. */
export async function startBackend(): Promise<void> {
  await import("./backend.ts");
  await setBackend(BACKEND);
  await ready();
}
