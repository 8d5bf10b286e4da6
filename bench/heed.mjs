/** heed as it is built, in the form that a contender asks for: threads and SIMD. */
import { readFileSync } from "node:fs";
import * as kernels from "../dist/kernels/index.js";

const manifest = new URL("../package.json", import.meta.url);

export async function startHeed(
  /** @type {{ threads: number, build: "relaxed" | "plain" }} */ { threads, build },
) {
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  const got = await kernels.init({ threads, build });
  if (got.threads !== threads || got.build !== build) {
    throw new Error(`asked for ${threads} threads of the ${build} build, got ${JSON.stringify(got)}`);
  }
  const { attention, attentionBackward, KeyValueCache } = kernels;
  return { version, attention, attentionBackward, KeyValueCache };
}
