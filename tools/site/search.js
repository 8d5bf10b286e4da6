// The search of the site, bundled into one classic script, so that it runs from a server and from a folder of files alike.
import MiniSearch from "minisearch";
import { keepSitePages } from "./newer.js";

const MOST = 12;
const root = document.body.dataset.root ?? "";
const input = /** @type {HTMLInputElement} */ (document.getElementById("search"));
const found = /** @type {HTMLElement} */ (document.getElementById("found"));

/** @type {MiniSearch | undefined} */
let index;

/** The sections come as a script when somebody begins to search: a file can load no other data. */
function loadSections() {
  if (document.getElementById("sections")) return;
  const script = document.createElement("script");
  script.id = "sections";
  script.src = `${root}assets/sections.js`;
  script.onerror = () => {
    found.textContent = "The search cannot be loaded; reload the page.";
  };
  script.onload = () => {
    index = new MiniSearch({
      fields: ["title", "page", "text"],
      storeFields: ["title", "page", "address"],
      searchOptions: { boost: { title: 4, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: "AND" },
    });
    index.addAll(/** @type {any} */ (globalThis).heedSections);
    search();
  };
  document.head.append(script);
}

function search() {
  found.replaceChildren();
  const query = input.value.trim();
  if (query === "" || !index) return;
  const results = index.search(query).slice(0, MOST);
  if (results.length === 0) {
    found.textContent = "Nothing was found.";
    return;
  }
  const list = document.createElement("ul");
  for (const { title, page, address } of results) {
    const link = document.createElement("a");
    link.href = root + address;
    link.textContent = title;
    const item = document.createElement("li");
    item.append(link, page === title ? "" : ` · ${page}`);
    list.append(item);
  }
  found.append(list);
}

input.addEventListener("focus", loadSections);
input.addEventListener("input", search);
input.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  input.value = "";
  search();
});
void keepSitePages(root);
// On a phone the menu begins closed: it is longer than the screen.
const menu = document.querySelector(".menu details");
if (menu && matchMedia("(max-width: 60rem)").matches) menu.removeAttribute("open");
