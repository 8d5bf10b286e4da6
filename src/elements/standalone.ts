import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Trace } from "../inspect/trace/trace.ts";
import { type PageOptions, pageCode, standalonePage } from "./standalone-page.ts";

export { inScript, jsonForScript, PAGE_VIEWS } from "./standalone-page.ts";

export interface StandaloneOptions extends PageOptions {
  /** The text of the elements' bundle. @default the one that was built with this module */
  readonly bundle?: string;
}

/**
 * A trace as one HTML file that needs nothing else: no network, no server, no other file.
 *
 * The elements stand in the file as a module that its Content-Security-Policy knows by its SHA-256, the trace as gzip
 * in base64, with the weights of a layer as q, k and lse where these take fewer bytes than its map, and without what no
 * element shows; where scripts are off, a picture and a table of one head remain. A trace without layers has its figures
 * alone. Tokens are text wherever they stand. Pure but for reading the bundle: the same trace gives the same file. Cost:
 * about 130 kB and a third more than the compressed trace.
 *
 * @throws what `writeTrace` and `layerMap` throw
 * @example
 * const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * const trace = createTrace({ name: "two words", tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] });
 * const bundle = "// by default the text of dist/elements/heed-elements.js";
 * standaloneHtml(trace, { bundle }).includes("<title>two words</title>"); // true
 */
export function standaloneHtml(trace: Trace, options: StandaloneOptions = {}): string {
  const code = trace.layers.length > 0 ? pageCode(options.bundle ?? builtBundle()) : "";
  return standalonePage(trace, options, {
    code,
    digest: createHash("sha256").update(code).digest("base64"),
    pack: (bytes) => gzipSync(bytes).toString("base64"),
  });
}

const builtBundle = () => readFileSync(new URL("./heed-elements.js", import.meta.url), "utf8");
