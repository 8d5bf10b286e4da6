// Writes the pages of the site that documents are made into, with what they link to: pictures, sources, data, and the index of
// the search.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { rolldown } from "rolldown";
import { between, layout } from "./layout.mjs";
import { escapeHtml, renderMarkdown } from "./markdown.mjs";
import { sitePages } from "./pages.mjs";

/** Files that are copied as they are; others that a document links to become a page that shows them. */
const COPIED = /\.(svg|png|jpg|attn|safetensors)$|^conformance\/.*\.json$/;
/** A source longer than this is cut: it is there to be read. In characters. */
const LONGEST_SOURCE = 200_000;
/** The search knows so much of each section. In characters. */
const SEARCHED = 1500;

/**
 * Writes them below `folder`. Throws where a document links to what is not there.
 *
 * @param {{ root: string, folder: string }} options the repository, and the site
 * @returns {Promise<string[]>} the places of the pages
 */
export async function writePages({ root, folder }) {
  const menu = sitePages(root);
  const pages = Object.values(menu).flat();
  const places = new Map(pages.map(({ source, place }) => [source, place]));
  /** @type {Map<string, string>} */
  const sources = new Map();
  /** @type {object[]} */
  const sections = [];
  const write = (/** @type {string} */ place, /** @type {string | Uint8Array} */ content) => {
    mkdirSync(path.dirname(path.join(folder, place)), { recursive: true });
    writeFileSync(path.join(folder, place), content);
  };

  /** The page that shows a file, or lists a folder. */
  const shown = (/** @type {string} */ target) => {
    const place = `sources/${target}.html`;
    sources.set(target, place);
    return place;
  };

  const resolver =
    (/** @type {{ source: string, place: string }} */ { source, place }) =>
    (/** @type {string} */ link) => {
      if (/^([a-z]+:|#)/i.test(link)) return link;
      const [address = "", anchor] = link.split("#");
      const target = path.posix.join(path.posix.dirname(source), address).replace(/\/$/, "");
      const to = (/** @type {string} */ there) => between(place, there) + (anchor ? `#${anchor}` : "");
      const page = places.get(target) ?? places.get(`${target}/README.md`);
      if (page) return to(page);
      if (!existsSync(path.join(root, target)))
        throw new Error(`site: ${source} links to ${link}, which is not there; mend the link`);
      if (COPIED.test(target)) {
        const copy = `files/${target}`;
        mkdirSync(path.dirname(path.join(folder, copy)), { recursive: true });
        cpSync(path.join(root, target), path.join(folder, copy));
        return to(copy);
      }
      const shown = `sources/${target}.html`;
      sources.set(target, shown);
      return to(shown);
    };

  for (const page of pages) {
    const { html, sections: found } = renderMarkdown(page.text, resolver(page));
    for (const { anchor, title, text } of found)
      sections.push({
        ...{ id: sections.length, title, page: page.title, address: `${page.place}#${anchor}` },
        text: text.slice(0, SEARCHED),
      });
    write(page.place, layout({ ...page, content: html, menu }));
  }
  // A folder leads to its files, which join the list that is walked.
  for (const [source, place] of sources) {
    const file = path.join(root, source);
    const inside = (/** @type {string} */ name) =>
      `<li><a href="${between(place, shown(`${source}/${name}`))}">${escapeHtml(name)}</a></li>`;
    const body = statSync(file).isDirectory()
      ? `<ul>${readdirSync(file).sort().map(inside).join("")}</ul>`
      : `<pre tabindex="0"><code>${escapeHtml(readFileSync(file, "utf8").slice(0, LONGEST_SOURCE))}</code></pre>`;
    write(place, layout({ place, title: source, content: `<h1>${escapeHtml(source)}</h1>\n${body}`, menu }));
  }
  write("assets/sections.js", `globalThis.heedSections=${JSON.stringify(sections)};\n`);
  const style = (/** @type {string} */ file) => readFileSync(path.join(root, file), "utf8");
  write("assets/site.css", style("studio/shell/page.css") + style("tools/site/site.css"));
  write("assets/search.js", await bundleSearch(root));
  return [...places.values(), ...sources.values()];
}

async function bundleSearch(/** @type {string} */ root) {
  const bundle = await rolldown({ input: path.join(root, "tools/site/search.js") });
  const { output } = await bundle.generate({ format: "iife", minify: true });
  await bundle.close();
  return output[0].code;
}
