// What the reference is made of: each entry point of package.json, from its source.
import { readFileSync } from "node:fs";

const { exports } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  name: "heed",
  entryPoints: Object.values(exports)
    .filter((target) => typeof target !== "string")
    .map(({ types }) => `../../../${types.replace("./dist/", "src/").replace(".d.ts", ".ts")}`),
  plugin: [new URL("./module-names.mjs", import.meta.url).href],
  tsconfig: "./tsconfig.json",
  readme: "none",
  excludePrivate: true,
  excludeInternal: true,
  // What comes from TensorFlow.js and Lit is described there.
  excludeExternals: true,
  logLevel: "Error",
  disableSources: true,
  includeHierarchySummary: false,
  hideGenerator: true,
  githubPages: false,
  // `site:` is replaced by the way from each page to the root of the site.
  navigationLinks: {
    heed: "site:index.html",
    Mechanisms: "site:mechanisms.html",
    Studio: "site:studio/index.html",
  },
};
