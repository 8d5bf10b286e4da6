/** heed as it is built, in the form that a contender asks for: threads and SIMD. */
import { readFileSync } from "node:fs";
import * as kernels from "../dist/kernels/index.js";

const manifest = new URL("../package.json", import.meta.url);

export async function startHeed(
  /** @type {{ threads: number, build: "relaxed" | "plain" }} */ { threads, build },
) {
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  // Until `init` takes options: remove on merge.
  if (!/threads/.test(String(kernels.init)) && (threads > 1 || build === "plain")) {
    throw new Error(`this build of heed has no ${threads > 1 ? "threads" : "choice of SIMD"} in init`);
  }
  const init = /** @type {(options: object) => Promise<unknown>} */ (kernels.init);
  await init({ threads, build });
  return { version, attention: kernels.attention, attentionBackward: kernels.attentionBackward };
}
