import { DEFAULT_GRID } from "../../models/convolutional-grid.ts";
import type { DetectionTransformerConfig } from "../../models/set/detection-transformer.ts";

/** The sizes of a detector over the grid of a scene. */
export interface DetectorConfig {
  /** D of the non-local block over the grid; 0 for none. */
  nonLocal: number;
  /** C, a multiple of 4 and of the heads. */
  width: number;
  /** H */
  heads: number;
  /** F, between the feed-forward maps. */
  inner: number;
  /** Layers of self-attention over the grid. */
  encoderLayers: number;
  /** Layers of the queries, at least one. */
  decoderLayers: number;
  /** Q, at least as many as a scene has items. */
  queries: number;
}

/** The detection transformer that reads the features of `DEFAULT_GRID`. */
export const transformerConfig = (config: DetectorConfig, classes: number): DetectionTransformerConfig => ({
  ...config,
  channels: DEFAULT_GRID.at(-1)!.channels,
  convolutions: [],
  classes,
});
