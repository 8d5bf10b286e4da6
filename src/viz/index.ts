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
export type { HeatmapData, Numbers } from "./data.ts";
export { type DecodePngOptions, decodePng } from "./decode-png.ts";
export {
  type DetectionPanel,
  type DetectionsData,
  type DetectionsOptions,
  detections,
} from "./detections.ts";
export type { EdgeChoice } from "./flow/edges.ts";
export { type FlowOptions, flow } from "./flow.ts";
export { type GatesData, type GatesOptions, gates } from "./gates.ts";
export {
  type GlimpseData,
  type GlimpseOptions,
  type GlimpsePanel,
  glimpse,
} from "./glimpse.ts";
export { type GridOptions, grid } from "./grid.ts";
export { type HeadsData, type HeadsOptions, heads, type NamedHead } from "./heads.ts";
export { type HeatmapOptions, heatmap } from "./heatmap.ts";
export { affineBox, type Box, type GaussianAxis, gaussianBox, type Point } from "./image/boxes.ts";
export type { Frame, Picture } from "./image/picture.ts";
export { upsample } from "./image/upsample.ts";
export { type ImageAttentionData, type ImageAttentionOptions, image } from "./image.ts";
export {
  binaryAxis,
  type GaussianAxisParameters,
  gaussianAxis,
  type MarginalsData,
  type MarginalsOptions,
  marginals,
} from "./marginals.ts";
export { type NeuronData, type NeuronOptions, neuron } from "./neuron.ts";
export type { Words } from "./options.ts";
export { type PipelineData, type PipelineOptions, pipelineDiagram } from "./pipeline.ts";
export { encodePng, type Pixels, type PngOptions, paletteBytes, pngDataUri } from "./png.ts";
export { COLOR_SCALES, type ColorScale, type Domain } from "./scale.ts";
export { type Measure, type StatisticsData, type StatisticsOptions, statistics } from "./statistics.ts";
export type { Strip } from "./svg/strips.ts";
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
export { type TerminalImageOptions, terminalImage } from "./terminal-image.ts";
export { type TerminalWordsOptions, terminalWords } from "./terminal-words.ts";
export { ascii, escapeXml, visible } from "./text.ts";
export { type ThumbnailOptions, thumbnail } from "./thumbnail.ts";
export { type TrackFrame, type TrackOptions, track } from "./track.ts";
export { displayWidth, fitColumns, graphemes, truncate } from "./width.ts";
