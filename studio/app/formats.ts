/** What can be saved of what is shown: `JSON` the numbers in view, `HTML` a page of its own, `trace` all of it. */
export const FORMATS = ["PNG", "SVG", "JSON", "HTML", "trace"] as const;
export type Format = (typeof FORMATS)[number];

/**
 * A file's name: the title of what is in it and its view, of letters and digits alone, as some systems take no others.
 *
 * @param ending without its dot
 */
export function fileName(title: string | undefined, view: string, ending: string): string {
  const words = (title ?? "").match(/[\p{L}\p{N}]+/gu) ?? ["attention"];
  return `${words.join("-").slice(0, LONGEST)}-${view}.${ending}`;
}

const LONGEST = 60;

export const ENDINGS: Readonly<Record<Format, string>> = {
  PNG: "png",
  SVG: "svg",
  JSON: "json",
  HTML: "html",
  trace: "attn",
};
