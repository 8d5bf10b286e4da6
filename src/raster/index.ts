/** Pictures with their words as pixels, in Node: SVG to PNG. */
export { type RenderPngOptions, renderPng } from "../views/render-png.ts";
