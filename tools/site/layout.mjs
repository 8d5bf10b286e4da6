// What stands around the text of every page: the way to the others, and the search.
import path from "node:path";
import { escapeHtml } from "./markdown.mjs";

/** Pages that no document is made into: the studio's, and the reference made from the docstrings. */
export const APPS = [
  { title: "Studio", place: "studio/index.html" },
  { title: "Live", place: "studio/live.html" },
  { title: "Playground", place: "studio/playground.html" },
  { title: "Learn", place: "studio/learn.html" },
  { title: "API", place: "api/index.html" },
];

/** The address of one place of the site from another. */
export const between = (/** @type {string} */ from, /** @type {string} */ to) =>
  path.posix.relative(path.posix.dirname(from), to) || path.posix.basename(to);

/**
 * A whole page.
 *
 * @param {{ place: string, title: string, content: string, menu: Record<string, import("./pages.mjs").Page[]> }} page
 */
export function layout({ place, title, content, menu }) {
  const link = (/** @type {{ title: string, place: string }} */ page) =>
    `<a href="${between(place, page.place)}"${page.place === place ? ' aria-current="page"' : ""}>${escapeHtml(page.title)}</a>`;
  const groups = Object.entries(menu)
    .map(([heading, pages]) => {
      const items = pages.map((page) => `<li>${link(page)}</li>`).join("");
      return `<h2>${heading}</h2><ul>${items}</ul>`;
    })
    .join("\n");
  const asset = (/** @type {string} */ name) => between(place, `assets/${name}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title === "heed" ? "heed: attention mechanisms" : `${escapeHtml(title)} · heed`}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${asset("site.css")}">
<script defer src="${asset("search.js")}"></script>
</head>
<body data-root="${between(place, "index.html").replace(/index\.html$/, "")}">
<header>
<a class="skip" href="#main">Skip to the content</a>
<a class="name" href="${between(place, "index.html")}">heed</a>
<nav aria-label="Parts of the site">${APPS.map(link).join(" ")}</nav>
<search><label>Search <input type="search" id="search" autocomplete="off" aria-controls="found"></label><div id="found" role="status"></div></search>
</header>
<div class="columns">
<nav class="menu" aria-label="Pages"><details open><summary>Pages</summary>${groups}</details></nav>
<main id="main">
${content}
</main>
</div>
</body>
</html>
`;
}
