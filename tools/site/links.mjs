// Looks at every link of a finished site: it leads to a file that is there, and to an anchor that is there, and no page asks
// another server for anything.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { unescapeHtml } from "./markdown.mjs";

const anchorsOf = (/** @type {string} */ html) =>
  new Set([...html.matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, anchor]) => anchor));

/**
 * What is wrong with the links below a folder, a line each; nothing where all is well.
 *
 * @param {string} folder the site
 * @param {{ ignore?: readonly string[] }} [options] parts of the site that are not there to be looked at, such as "api/"
 * @returns {string[]}
 */
export function brokenLinks(folder, { ignore = [] } = {}) {
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => file.endsWith(".html") && !ignore.some((part) => file.startsWith(part)));
  const texts = new Map(pages.map((page) => [page, readFileSync(path.join(folder, page), "utf8")]));
  const anchors = new Map([...texts].map(([page, html]) => [page, anchorsOf(html)]));
  return pages.flatMap((page) => {
    // Code that a page shows or runs has no links of the page.
    const html = /** @type {string} */ (texts.get(page))
      .replace(/<pre\b[^>]*>[\s\S]*?<\/pre>/g, "")
      .replace(/(<script\b[^>]*>)[\s\S]*?<\/script>/g, "$1");
    const links = [...html.matchAll(/<(\w+)\b[^>]*?\s(href|src)="([^"]*)"/g)];
    return links.flatMap(([, tag, name, written]) => {
      const link = unescapeHtml(/** @type {string} */ (written));
      const say = (/** @type {string} */ what) => [`${page}: <${tag} ${name}="${link}"> ${what}`];
      if (/^(data|mailto|blob):/.test(link)) return [];
      if (/^[a-z]+:\/\//i.test(link)) return tag === "a" ? [] : say("asks another server");
      const [address = "", anchor] = link.split("#");
      const target =
        address === ""
          ? page
          : path.posix.join(path.posix.dirname(page), decodeURI(address.split("?")[0] ?? ""));
      if (ignore.some((part) => target.startsWith(part))) return [];
      if (target.startsWith("..") || !existsSync(path.join(folder, target))) return say("leads nowhere");
      if (statSync(path.join(folder, target)).isDirectory()) return say("leads to a folder");
      // Names with values are the state of an app, which takes any.
      if (!anchor || anchor.includes("=") || !anchors.has(target)) return [];
      return anchors.get(target)?.has(decodeURIComponent(anchor)) ? [] : say("has no such anchor");
    });
  });
}
