export {
  colorAt,
  contrast,
  type DivergingPalette,
  hex,
  luminance,
  PALETTES,
  type Palette,
  paletteIndex,
  type Rgb,
  textOn,
} from "./color.ts";
export { type CompareOptions, compare } from "./compare.ts";
export { type DecodePngOptions, decodePng } from "./decode-png.ts";
export type { EdgeChoice } from "./flow/edges.ts";
export { type FlowOptions, flow } from "./flow.ts";
export { type GateBarsData, type GateBarsOptions, gateBars } from "./gate-bars.ts";
export {
  binaryAxis,
  type GaussianAxisParameters,
  type GaussianMarginalsData,
  type GaussianMarginalsOptions,
  gaussianAxis,
  gaussianMarginals,
} from "./gaussian-marginals.ts";
export {
  type GlimpseBoxesData,
  type GlimpseBoxesOptions,
  type GlimpsePanel,
  glimpseBoxes,
} from "./glimpse-boxes.ts";
export { type HeadViewData, type HeadViewOptions, headView, type NamedHead } from "./head-view.ts";
export { type HeatmapOptions, heatmap } from "./heatmap.ts";
export { affineBox, type Box, type GaussianAxis, gaussianBox, type Point } from "./image/boxes.ts";
export type { Picture } from "./image/picture.ts";
export { upsample } from "./image/upsample.ts";
export { type ImageAttentionData, type ImageAttentionOptions, imageAttention } from "./image-attention.ts";
export { type Cells, type HeatmapData, type Matrix, maxPool, type Pooled, toMatrix } from "./matrix.ts";
export { type Measure, type MeasuresData, type MeasuresOptions, measures } from "./measures.ts";
export { type ModelGridOptions, modelGrid } from "./model-grid.ts";
export { type NeuronData, type NeuronOptions, neuronView } from "./neuron-view.ts";
export type { Words } from "./options.ts";
export { type PipelineData, type PipelineOptions, pipelineDiagram } from "./pipeline.ts";
export { encodePng, type Pixels, type PngOptions, paletteBytes, pngDataUri } from "./png.ts";
export { COLOR_SCALES, type ColorScale, type Domain } from "./scale.ts";
export type { Theme } from "./svg/theme.ts";
export {
  type ColorDepth,
  type ColorFlag,
  type Environment,
  type StreamFacts,
  type TerminalCapabilities,
  terminalCapabilities,
} from "./terminal/capabilities.ts";
export { type TerminalFormat, type TerminalHeatmapOptions, terminalHeatmap } from "./terminal.ts";
export { type TerminalFlowOptions, terminalFlow } from "./terminal-flow.ts";
export { type TerminalGridOptions, terminalGrid } from "./terminal-grid.ts";
export { ascii, escapeXml, visible } from "./text.ts";
export { type ThumbnailOptions, thumbnail } from "./thumbnail.ts";
export { displayWidth, fitColumns, graphemes, truncate } from "./width.ts";
