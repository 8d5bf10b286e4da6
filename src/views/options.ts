import type { MapComputer, TraceLayer } from "../inspect/index.ts";
import type { ColorScale, Palette, TerminalCapabilities, TerminalFormat, Theme } from "../viz/index.ts";
import { refuse } from "./named.ts";

/** The ways through a stack of layers: products of the weights, the most that can flow, weights by their gradients. */
export const THROUGH = ["rollout", "flow", "gradient"] as const;
export type Through = (typeof THROUGH)[number];

/** Which part of a trace, and how it is drawn. What a view has no use for is passed over. */
export interface PictureOptions {
  /** The layer; `compare` takes a pair of them, `rollout` the last one of those it joins. @default 0; the last for `rollout` */
  readonly layer?: number | readonly number[];
  /** The head; `heads` takes up to eight, `compare` a pair. @default 0; the first eight; 0 and 1 */
  readonly head?: number | readonly number[];
  /** The query, for `neuron`, and for `image` where patches look at patches. @default the last one; 0 */
  readonly query?: number;
  /**
   * How the view `rollout` joins layers: `rollout`, `flow` (maximum flow, up to 64 tokens), or `gradient` (Chefer 2021), which
   * needs the gradients `grad` in the trace. @default "rollout"
   */
  readonly through?: Through;
  /** The glimpse, counted from 0. @default all of them, up to eight; the first Gaussian one for `marginals` */
  readonly step?: number;
  /** The gate's name. @default the first one */
  readonly gate?: string;
  /** Rows and columns of a glimpse, where the trace does not say them. @default the trace's; [24, 24] for affine ones */
  readonly glimpseSize?: readonly [rows: number, columns: number];
  /** @default "viridis" */
  readonly palette?: Palette;
  /** How colours follow weights in `heatmap` and `rollout`: `sqrt` and `log` tell small ones apart. @default "linear" */
  readonly colorScale?: ColorScale;
  /** @default "light" */
  readonly theme?: Theme;
  /** In `statistics`: the most pixels across; columns beyond go below. @default all columns side by side */
  readonly width?: number;
  /** Above the picture; empty = none. @default what is shown */
  readonly title?: string;
  /**
   * In `heatmap`: each weight times the length of its key's value (Kobayashi 2020), which the trace must have: `vnorm`. @default
   * false
   */
  readonly valueNorms?: boolean;
  /** What recomputes the maps of a layer faster than plain loops, such as `kernelMaps` of `heed/capture`. @default none */
  readonly computer?: (layer: TraceLayer) => MapComputer | undefined;
  /** Called with a sentence for each reason to distrust the picture. */
  readonly onWarning?: (message: string) => void;
}

/** What the terminal can do, as `terminalCapabilities` finds it, and how it is to be used. */
export interface TextOptions extends PictureOptions, Omit<TerminalCapabilities, "isTTY"> {
  readonly isTTY?: boolean;
  /** @default "map" in a terminal, else "text" */
  readonly format?: TerminalFormat;
  /** The most queries that the format `text` names; of more, those with the largest weights. @default 64 */
  readonly lines?: number;
}

/** A still picture for a page. */
export interface PageFigure {
  /** What it shows, as plain text. */
  readonly caption: string;
  /** An SVG document. */
  readonly svg: string;
}

/** One number of an option that some views take several of. */
export function single(
  view: string,
  name: "layer" | "head",
  given: number | readonly number[] | undefined,
): number | undefined {
  if (typeof given !== "object") return given;
  if (given.length === 1) return given[0];
  return refuse(name, `be one number for the view ${view}`, given.join(","), "name one of them");
}

/** Throws unless `got` counts one of `length` things. */
export function within(name: string, got: number, length: number, of: string): number {
  if (Number.isSafeInteger(got) && got >= 0 && got < length) return got;
  const rule = length === 1 ? `be 0: ${of} has one` : `be from 0 to ${length - 1}: ${of} has ${length}`;
  return refuse(name, rule, String(got), "choose another one");
}
