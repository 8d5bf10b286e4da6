// Documents → HTML: headings get the anchors that they have where the repository is read, links lead to the pages of the site,
// and what is wider than the page scrolls by itself.
import { Marked } from "marked";

/** As GitHub makes anchors of headings. */
const slugOf = (/** @type {string} */ text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");

export const escapeHtml = (/** @type {string} */ text) =>
  text.replace(/[&<>"]/g, (letter) => `&${{ "&": "amp", "<": "lt", ">": "gt", '"': "quot" }[letter]};`);

export const unescapeHtml = (/** @type {string} */ text) =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name) => ({ amp: "&", lt: "<", gt: ">", quot: '"' })[name] ?? "'",
  );

/** The words of some HTML. */
export const plainText = (/** @type {string} */ html) =>
  unescapeHtml(html.replace(/<\/?(td|th|p|li|pre|h\d)\b[^>]*>/g, " ").replace(/<[^>]*>/g, ""));

/**
 * A part of a page below one heading, for the search.
 *
 * @typedef {{ anchor: string, title: string, text: string }} Section
 */

/**
 * What stands below each heading down to the third level.
 *
 * @returns {Section[]}
 */
function sectionsOf(/** @type {string} */ html) {
  const parts = html.split(/(?=<h[1-3] id=")/).filter((part) => part.startsWith("<h"));
  return parts.map((part) => {
    const [, anchor = "", title = "", rest = ""] =
      /^<h\d id="([^"]*)">(.*?)<\/h\d>([\s\S]*)$/.exec(part) ?? [];
    return { anchor, title: plainText(title), text: plainText(rest).replace(/\s+/g, " ").trim() };
  });
}

/**
 * A document as HTML. `resolve` says where a link of the document leads on the site.
 *
 * @returns {{ html: string, sections: Section[] }}
 */
export function renderMarkdown(/** @type {string} */ text, /** @type {(link: string) => string} */ resolve) {
  const slugs = new Map();
  const marked = new Marked({ gfm: true });
  marked.use({
    renderer: {
      heading({ tokens, depth }) {
        const html = this.parser.parseInline(tokens);
        const slug = slugOf(plainText(html));
        const count = slugs.get(slug) ?? 0;
        slugs.set(slug, count + 1);
        const anchor = count === 0 ? slug : `${slug}-${count}`;
        return `<h${depth} id="${anchor}">${html}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        return `<a href="${escapeHtml(resolve(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text }) {
        return `<img src="${escapeHtml(resolve(href))}" alt="${escapeHtml(text)}" loading="lazy">`;
      },
      html({ text }) {
        return text.replace(/\bsrc="([^"]+)"/g, (_, href) => `src="${escapeHtml(resolve(href))}"`);
      },
      code({ text, lang }) {
        return `<pre tabindex="0"><code${lang ? ` class="language-${lang}"` : ""}>${escapeHtml(text)}</code></pre>\n`;
      },
      table(token) {
        const cell = (/** @type {import("marked").Tokens.TableCell} */ { tokens, header, align }) => {
          const html = this.parser.parseInline(tokens);
          if (header && html === "") return "<td></td>";
          const side = align ? ` style="text-align:${align}"` : "";
          return header ? `<th scope="col"${side}>${html}</th>` : `<td${side}>${html}</td>`;
        };
        const row = (/** @type {import("marked").Tokens.TableCell[]} */ cells) =>
          `<tr>${cells.map(cell).join("")}</tr>`;
        const body = token.rows.map(row).join("\n");
        return `<div class="wide" tabindex="0"><table><thead>${row(token.header)}</thead><tbody>${body}</tbody></table></div>\n`;
      },
    },
  });
  const html = /** @type {string} */ (marked.parse(text)).replace(
    // Docstrings name papers without a scheme.
    /(?<![\w/">])arxiv\.org\/abs\/[\w./-]*\w/g,
    (paper) => `<a href="https://${paper}">${paper}</a>`,
  );
  return { html, sections: sectionsOf(html) };
}
