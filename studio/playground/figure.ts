import { html, type TemplateResult } from "lit";
import { until } from "lit/directives/until.js";
import type { Figure } from "./preset.ts";

/** heed's pictures of traces, loaded when the first is shown. */
let loading: Promise<void> | undefined;
let isLoaded = false;

const TITLES = {
  glimpse: "Where it looks, drawn by <heed-glimpse>",
  marginals: "How much it looks at each row and column, drawn by <heed-marginals>",
  gates: "The gate, drawn by <heed-gates>",
} as const;

/** A trace as the element of heed that shows it. */
export function figureTemplate({ view, trace }: Figure): TemplateResult {
  if (isLoaded) return html`<div class="figure">${element(view, trace)}</div>`;
  loading ??= import("../../src/elements/figures.ts").then(() => {
    isLoaded = true;
  });
  const shown = loading.then(() => element(view, trace));
  return html`<div class="figure">${until(shown, html`<p class="muted">Drawing …</p>`)}</div>`;
}

function element(view: Figure["view"], trace: Figure["trace"]): TemplateResult {
  const heading = TITLES[view];
  switch (view) {
    case "glimpse":
      return html`<heed-glimpse heading-level="3" heading=${heading} .trace=${trace}></heed-glimpse>`;
    case "marginals":
      return html`<heed-marginals heading-level="3" heading=${heading} .trace=${trace}></heed-marginals>`;
    case "gates":
      return html`<heed-gates heading-level="3" heading=${heading} .trace=${trace}></heed-gates>`;
  }
}
