/** How a page is coloured: as the system says, or as the reader chose. */
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = "heed-theme";

/** Sent to the document with each change. */
export const THEME_CHANGE = "heed-theme-change";

/** What the reader chose; auto where nothing was, or where the browser keeps nothing. */
export function chosenTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEPT);
    return THEMES.find((theme) => theme === kept) ?? "auto";
  } catch {
    return "auto";
  }
}

/** Keeps a choice for all pages, and colours this one. */
export function chooseTheme(theme: Theme): void {
  try {
    if (theme === "auto") localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, theme);
  } catch {
    // A browser that keeps nothing asks again on the next page.
  }
  colorPage(theme);
}

/** Colours the page, and tells its elements. */
export function colorPage(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === "auto" ? "" : theme;
  document.dispatchEvent(new CustomEvent(THEME_CHANGE, { detail: theme }));
}
