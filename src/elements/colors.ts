/**
 * The colours of all elements and pages, as custom properties for a rule of CSS. Text is at least 7:1, lines and focus 3:1, in
 * both schemes; see viz/svg/theme.ts. `npm run build` puts them into the studio's pages too (studio/shell/page.css).
 */
export const COLORS = `
  --heed-text: light-dark(#1a1a1a, #ededed);
  --heed-muted: light-dark(#4a4a4a, #b8b8b8);
  --heed-background: light-dark(#ffffff, #121212);
  --heed-raised: light-dark(#f3f3f3, #242424);
  --heed-line: light-dark(#767676, #8f8f8f);
  --heed-focus: light-dark(#0b57d0, #8ab4f8);
  --heed-alert: light-dark(#a50e0e, #f6aea9);
`;
