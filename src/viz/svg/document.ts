import { escapeXml, visible } from "../text.ts";
import { TOKEN_SIZE } from "./layout.ts";
import { element } from "./markup.ts";
import { type OwnRules, styleSheet, type Theme } from "./theme.ts";

export interface SvgDocument {
  /** Of the figure; its rules and its parts' ids begin with it. */
  readonly id: string;
  readonly theme: Theme;
  /** Its name, for readers who do not see it; the words on the picture are part of `content`. */
  readonly title: string;
  /** What it shows, in a sentence or two. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly content: readonly string[];
  readonly rules?: OwnRules;
}

/** A figure as a document of its own: named, described, and styled within itself. */
export function svgDocument(figure: SvgDocument): string {
  const { id, theme, title, description, width, height, content, rules } = figure;
  const head = [
    element("title", { id: `${id}-t` }, escapeXml(visible(title))),
    element("desc", { id: `${id}-d` }, escapeXml(description)),
    element("style", {}, styleSheet(id, theme, rules)),
  ];
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    id,
    role: "img",
    "aria-labelledby": `${id}-t`,
    "aria-describedby": `${id}-d`,
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "font-family": "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif",
    "font-size": TOKEN_SIZE,
  };
  return element("svg", attributes, `\n${[...head, ...content].join("\n")}\n`);
}
