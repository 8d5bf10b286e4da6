/**
 * Custom elements that show attention; importing this defines them.
 *
 *     <script type="module" src="heed-elements.js"></script>
 *     <heed-view src="trace.attn"></heed-view>
 *
 * or, with weights of one's own: `Object.assign(element, { weights, rowTokens, columnTokens })`. Elements are linked by
 * giving them one `store`. In Observable, return the element; for notebooks, dist/elements/heed-elements.js is an
 * anywidget module.
 */
import { HeedCompare } from "./compare.ts";
import { define } from "./element.ts";
import { HeedFlow } from "./flow.ts";
import { HeedGrid } from "./grid.ts";
import { HeedHeatmap } from "./heatmap.ts";
import { HeedImage } from "./image.ts";
import { HeedView } from "./view.ts";

export { HeedElement } from "./element.ts";
export type { Model, Numbers, TraceBytes } from "./model.ts";
export { MOST_PINS, type Pin, type Selection, SelectionStore } from "./selection.ts";
export type { ElementState } from "./url-state.ts";
export { HeedCompare, HeedFlow, HeedGrid, HeedHeatmap, HeedImage, HeedView };

define("heed-heatmap", HeedHeatmap);
define("heed-flow", HeedFlow);
define("heed-grid", HeedGrid);
define("heed-compare", HeedCompare);
define("heed-image", HeedImage);
define("heed-view", HeedView);

declare global {
  interface HTMLElementTagNameMap {
    "heed-heatmap": HeedHeatmap;
    "heed-flow": HeedFlow;
    "heed-grid": HeedGrid;
    "heed-compare": HeedCompare;
    "heed-image": HeedImage;
    "heed-view": HeedView;
  }
}
