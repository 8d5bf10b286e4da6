/**
 * All of heed's elements in one file without imports, which is also a front-end module of anywidget:
 * https://anywidget.dev/en/afm. Made from this file by `npm run build`: dist/elements/heed-elements.js.
 */
import type { HeedElement } from "./element.ts";
import { alignedBytes } from "./model.ts";

export * from "./index.ts";

/** What a notebook gives its front end. */
export interface WidgetModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
  save_changes(): void;
}

const DATA = ["trace", "weights", "row_tokens", "column_tokens"] as const;
const STATE = ["layer", "head", "palette", "color_scale"] as const;

/** The trait's bytes as float32 numbers, copied where they are not aligned. */
function numbers(value: unknown): Float32Array | undefined {
  if (!ArrayBuffer.isView(value)) return value as Float32Array | undefined;
  const bytes = alignedBytes(value);
  return new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
}

/**
 * Draws a widget's model and keeps both in step; returns what takes it away again.
 *
 * Traits: `trace` (bytes), or `weights` (float32 bytes) with `row_tokens` and `column_tokens`; `view` (a tag, by default
 * `heed-view`), `layer`, `head`, `palette`, `color_scale`. What is selected is written to `selection`.
 */
function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const view = model.get("view");
  const element = document.createElement(typeof view === "string" ? view : "heed-view") as HeedElement;
  const given = (name: string) => model.get(name) ?? undefined;
  const readData = () => {
    Object.assign(element, {
      trace: given("trace"),
      weights: numbers(given("weights")),
      rowTokens: given("row_tokens"),
      columnTokens: given("column_tokens"),
    });
  };
  // Apart from the data, which would begin anew with every step through the heads.
  const readState = () => {
    if (typeof given("layer") === "number") element.layer = given("layer") as number;
    if (typeof given("head") === "number") element.head = given("head") as number;
    if (given("palette")) element.palette = given("palette") as HeedElement["palette"];
    if (given("color_scale")) element.colorScale = given("color_scale") as HeedElement["colorScale"];
  };
  const write = (event: Event) => {
    model.set("selection", (event as CustomEvent).detail);
    model.save_changes();
  };
  const heard = [
    ...DATA.map((trait) => [`change:${trait}`, readData] as const),
    ...STATE.map((trait) => [`change:${trait}`, readState] as const),
  ];
  readData();
  readState();
  for (const [event, read] of heard) model.on(event, read);
  element.addEventListener("heed-select", write);
  el.append(element);
  return () => {
    for (const [event, read] of heard) model.off(event, read);
    element.removeEventListener("heed-select", write);
    element.remove();
  };
}

export default { render };
