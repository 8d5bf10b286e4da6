/** Pictures of a trace: as SVG, as PNG, for a page, and in the terminal. */
export { type DrawOptions, defaultView, drawTrace } from "./draw-trace.ts";
export { PNG_VIEWS, TERMINAL_VIEWS, VIEWS, type View } from "./list.ts";
export { type PageFigure, type PictureOptions, type TextOptions, THROUGH, type Through } from "./options.ts";
export { type PageFigureOptions, pageFigures } from "./page-figures.ts";
export { type PngTraceOptions, pngTrace } from "./png-trace.ts";
export { type ShowOptions, showTrace } from "./show-trace.ts";
