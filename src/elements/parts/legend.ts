import { html, nothing, type TemplateResult } from "lit";
import { formatNumber } from "../../viz/scale.ts";
import type { Colors } from "../../viz/svg/theme.ts";
import { hatch } from "./hatch.ts";
import { dots, type Lookup, type Range } from "./lookup.ts";

/** What the colours mean: a ramp with its ends, and a swatch for hidden keys. `fillLegend` colours it. */
export function legendTemplate(name: string, [low, high]: Range, hasMasked: boolean): TemplateResult {
  return html`<div class="legend">
    <span>${formatNumber(low).replace("-", "−")} <canvas class="ramp" aria-hidden="true" width="256" height="1"></canvas> ${formatNumber(high)}</span>
    <span>${name}</span>
    ${hasMasked ? html`<span><canvas class="swatch" aria-hidden="true" width="44" height="24"></canvas> masked: may not be attended to</span>` : nothing}
  </div>`;
}

export function fillLegend(root: ParentNode, table: Lookup, colors: Colors): void {
  const ramp = root.querySelector<HTMLCanvasElement>(".ramp");
  ramp?.getContext("2d")?.drawImage(dots(table, 256, 1), 0, 0);
  const context = root.querySelector<HTMLCanvasElement>(".swatch")?.getContext("2d");
  if (!context) return;
  context.fillStyle = hatch(context, colors, 2);
  context.fillRect(0, 0, 44, 24);
}
