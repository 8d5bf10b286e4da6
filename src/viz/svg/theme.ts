/** `light` and `dark` are fixed; `auto` follows the reader's `prefers-color-scheme` inside the SVG itself. */
export type Theme = (typeof THEMES)[number];

export const THEMES = ["light", "dark", "auto"] as const;

/** The colours around the cells. Text reaches 7:1 on the background, lines and hatches 3:1. */
export interface Colors {
  readonly background: string;
  readonly text: string;
  readonly line: string;
  readonly maskedFill: string;
  readonly maskedLine: string;
  readonly invalidLine: string;
  /** Lines of a flow, drawn with an opacity. */
  readonly edge: string;
}

export const LIGHT: Colors = {
  background: "#ffffff",
  text: "#1a1a1a",
  line: "#767676",
  maskedFill: "#e4e4e4",
  maskedLine: "#7a7a7a",
  invalidLine: "#c5221f",
  edge: "#1f4e79",
};

export const DARK: Colors = {
  background: "#121212",
  text: "#ededed",
  line: "#8f8f8f",
  maskedFill: "#303030",
  maskedLine: "#949494",
  invalidLine: "#f28b82",
  edge: "#9ecbff",
};

/** What a view styles besides: selectors with their declarations, from the colours of a theme. */
export type OwnRules = (colors: Colors) => readonly (readonly [selector: string, declarations: string])[];

const NONE: OwnRules = () => [];

function rules(id: string, colors: Colors, own: OwnRules): string {
  const rule = (selector: string, declarations: string) => `#${id} ${selector}{${declarations}}`;
  return [
    rule(".bg", `fill:${colors.background}`),
    rule(".t", `fill:${colors.text}`),
    rule(".l", `fill:none;stroke:${colors.line}`),
    rule(".mf", `fill:${colors.maskedFill}`),
    rule(".ml", `fill:none;stroke:${colors.maskedLine}`),
    rule(".xl", `fill:none;stroke:${colors.invalidLine}`),
    ...own(colors).map(([selector, declarations]) => rule(selector, declarations)),
  ].join("");
}

/** The style sheet of one figure; every rule is held inside the figure by its id. */
export function styleSheet(id: string, theme: Theme, own: OwnRules = NONE): string {
  const token = `#${id} .k{unicode-bidi:plaintext}`;
  if (theme !== "auto") return token + rules(id, theme === "dark" ? DARK : LIGHT, own);
  return `${token}${rules(id, LIGHT, own)}@media (prefers-color-scheme:dark){${rules(id, DARK, own)}}`;
}
