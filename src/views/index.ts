/** Pictures of a trace: as SVG, as PNG, for a page, and in the terminal. */
export { defaultView, drawTrace } from "./draw-trace.ts";
export { type DrawOptions, THROUGH, type Through, VIEWS, type View } from "./options.ts";
export { type PageFigure, type PageFigureOptions, pageFigures } from "./page-figures.ts";
export { PNG_VIEWS, type PngTraceOptions, pngTrace } from "./png-trace.ts";
export { type ShowOptions, showTrace, TERMINAL_VIEWS } from "./show-trace.ts";
