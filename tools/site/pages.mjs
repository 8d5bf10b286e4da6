// The pages of the site: which document is made into which, in the order of the menu.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/**
 * @typedef {object} Page
 * @property {string} source the document, from the root of the repository
 * @property {string} place the page, from the root of the site
 * @property {string} title what the menu calls it
 * @property {string} text the document
 */

const inFolder = (/** @type {string} */ root, /** @type {string} */ folder) =>
  existsSync(path.join(root, folder))
    ? readdirSync(path.join(root, folder))
        .filter((file) => file.endsWith(".md"))
        .sort()
        .map((file) => `${folder}/${file}`)
    : [];

/** Documents by the heading that the menu has for them. */
const menuOf = (/** @type {string} */ root) => ({
  Start: ["README.md", ...inFolder(root, "docs/guides"), "examples/README.md"],
  Mechanisms: ["docs/MECHANISMS.md", "docs/CHOOSING.md", ...inFolder(root, "docs/mechanisms")],
  Reference: ["docs/LAYERS.md", "docs/VIEWS.md", "docs/ELEMENTS.md", "docs/MODELS.md"],
  Background: [
    "docs/TRANSLATION.md",
    "docs/EVERYDAY.md",
    "docs/LEARNING.md",
    "docs/LARGER.md",
    "docs/WEBGPU.md",
    "docs/HISTORY.md",
  ],
  Measured: ["docs/BENCHMARKS.md", "conformance/README.md"],
  Project: ["CHANGELOG.md", "CONTRIBUTING.md"],
});

const TITLES = /** @type {Record<string, string>} */ ({
  "README.md": "heed",
  "docs/MECHANISMS.md": "All mechanisms",
  "conformance/README.md": "Conformance",
  "examples/README.md": "Examples",
});

/** `docs/guides/node.md` → `guides/node.html`; the README is the page at the root, a folder's README its index. */
const placeOf = (/** @type {string} */ source) =>
  source
    .replace(/^docs\//, "")
    .replace(/README\.md$/, "index.md")
    .replace(/\.md$/, ".html")
    .replace(/[A-Z]+(?=\.html$)/, (name) => name.toLowerCase());

/**
 * The pages by the headings of the menu; a document that is not there yet has none.
 *
 * @returns {Record<string, Page[]>}
 */
export function sitePages(/** @type {string} */ root) {
  const entries = Object.entries(menuOf(root)).map(([heading, sources]) => {
    const pages = sources
      .filter((source) => existsSync(path.join(root, source)))
      .map((source) => {
        const text = readFileSync(path.join(root, source), "utf8");
        const title = TITLES[source] ?? /^# (.*)$/m.exec(text)?.[1] ?? source;
        return { source, place: placeOf(source), title, text };
      });
    return /** @type {const} */ ([heading, pages]);
  });
  return Object.fromEntries(entries);
}
