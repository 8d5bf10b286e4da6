import { looksAtImage } from "../inspect/grid.ts";
import type { Model } from "./model.ts";

/** A view that `<heed-view>` can open. */
export interface Tab {
  readonly name: string;
  readonly label: string;
  /** Whether a model has the data for it. */
  readonly has: (model: Model) => boolean;
}

/** Whether a layer's keys are the patches of the trace's image. */
export function hasImage({ trace, layers }: Model): boolean {
  return trace !== undefined && layers.some(({ S }) => looksAtImage(trace, S));
}

const hasLayers = ({ layers }: Model) => layers.length > 0;
const hasTwoHeads = ({ layers }: Model) => layers.length > 1 || (layers[0]?.H ?? 0) > 1;

/** The views that have an element with a cursor, `<heed-NAME>`; `<heed-figure>` draws the others. */
export const TABS = [
  { name: "heatmap", label: "Heat map", has: hasLayers },
  { name: "flow", label: "Flow", has: hasLayers },
  { name: "grid", label: "All heads", has: hasTwoHeads },
  { name: "compare", label: "Compare", has: hasTwoHeads },
  { name: "image", label: "Image", has: hasImage },
] as const satisfies readonly Tab[];
