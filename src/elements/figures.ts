/**
 * Elements that draw any view of a trace as a picture; importing this defines them. They stand beside those of
 * `heed/elements`, which are smaller and have a cursor; where both are loaded, `<heed-view>` has a tab for each view.
 *
 *     <script type="module" src="heed-figures.js"></script>
 *     <heed-neuron src="trace.attn"></heed-neuron>
 */
import type { View } from "../views/list.ts";
import { define } from "./element.ts";
import { HeedFigure } from "./figure.ts";
import type { TABS } from "./tabs.ts";

export { HeedFigure };

define("heed-figure", HeedFigure);
for (const { name } of HeedFigure.tabs)
  define(
    `heed-${name}`,
    class extends HeedFigure {
      static override readonly only = name;
    },
  );

type Tags = `heed-${Exclude<View, (typeof TABS)[number]["name"]>}`;

declare global {
  interface HTMLElementTagNameMap extends Record<Tags, HeedFigure> {
    "heed-figure": HeedFigure;
  }
}
