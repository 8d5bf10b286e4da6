// Keeps the site for when there is no network, and says when a newer version of it has come.
import { keepPages } from "../../studio/offline/register.ts";

/** The line at the end of the header that loads it. */
function say(/** @type {() => void} */ load) {
  if (document.getElementById("newer")) return;
  const line = document.createElement("p");
  line.id = "newer";
  line.setAttribute("role", "status");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Load it";
  button.addEventListener("click", load);
  line.append("A newer version of this site has come. ", button);
  document.querySelector("header")?.append(line);
}

/** Begins it, for the site whose first page lies at `root`. */
export const keepSitePages = (/** @type {string} */ root) =>
  keepPages(say, new URL(root, document.baseURI).href);
