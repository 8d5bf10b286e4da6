import { convolutionSpecs, denseSpecs, normSpecs } from "../../maps.ts";
import type { ParameterSpecs } from "../../parameters.ts";
import { checkModelConfig, refuseConfig } from "../check-config.ts";
import { attentionSpecs, feedForwardSpecs } from "../maps.ts";
import { nonLocalSpecs } from "./non-local.ts";

export interface DetectionTransformerConfig {
  /** Cin, channels of the image, or of the features. */
  channels: number;
  /** Channels of each 3 × 3 convolution, which halves rows and columns; none for features. */
  convolutions: readonly number[];
  /** D of a non-local block over the grid, its queries, keys and values; 0 for none. @default 0 */
  nonLocal?: number;
  /** C, a multiple of 4: of it half the channels tell the row, half the column. */
  width: number;
  /** H; it divides the width. */
  heads: number;
  /** F, between the feed-forward maps. */
  inner: number;
  /** Layers over the grid. */
  encoderLayers: number;
  /** Layers of the queries, at least one. */
  decoderLayers: number;
  /** Q, at least as many as a scene has objects. */
  queries: number;
  /** Classes of objects, "no object" not counted. */
  classes: number;
}

const RULES = {
  sizes: ["channels", "width", "heads", "inner", "decoderLayers", "queries", "classes"],
  counts: ["encoderLayers"],
  others: ["convolutions", "nonLocal"],
};

export function checkDetectionConfig(op: string, config: DetectionTransformerConfig): void {
  checkModelConfig(op, config, RULES);
  const { convolutions, width, nonLocal = 0 } = config;
  const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 1;
  if (!Array.isArray(convolutions) || !convolutions.every(isSize)) {
    refuseConfig(
      op,
      "convolutions must be a list of integers ≥ 1",
      JSON.stringify(convolutions) ?? "nothing",
    );
  }
  if (!(Number.isSafeInteger(nonLocal) && nonLocal >= 0))
    refuseConfig(op, "nonLocal must be an integer ≥ 0", nonLocal);
  if (width % 4 !== 0) refuseConfig(op, "width must be a multiple of 4", width);
}

export function detectionSpecs(config: DetectionTransformerConfig): ParameterSpecs {
  const { channels, convolutions, nonLocal = 0, width: C, inner: F, queries: Q, classes } = config;
  const all: Record<string, ParameterSpecs[string]> = {};
  convolutions.forEach((to, n) => {
    Object.assign(all, convolutionSpecs(`convolution/${n}`, convolutions[n - 1] ?? channels, to));
  });
  const attention = (name: string) => ({ ...attentionSpecs(name, C, C), ...normSpecs(`${name}/norm`, C) });
  const feed = (name: string) => ({ ...feedForwardSpecs(name, C, F), ...normSpecs(`${name}/norm`, C) });
  Object.assign(all, denseSpecs("input", convolutions.at(-1) ?? channels, C));
  if (nonLocal > 0) Object.assign(all, nonLocalSpecs("non-local", C, nonLocal));
  for (let n = 0; n < config.encoderLayers; n++) {
    Object.assign(all, attention(`encoder/${n}/self`), feed(`encoder/${n}/feed`));
  }
  Object.assign(all, normSpecs("encoder/norm", C));
  for (let n = 0; n < config.decoderLayers; n++) {
    const name = `decoder/${n}`;
    Object.assign(all, attention(`${name}/self`), attention(`${name}/cross`), feed(`${name}/feed`));
  }
  return {
    ...all,
    queries: { shape: [Q, C], start: { normal: 0.02 } },
    ...normSpecs("decoder/norm", C),
    ...denseSpecs("class", C, classes + 1),
    ...{ ...denseSpecs("box/0", C, C), ...denseSpecs("box/1", C, C), ...denseSpecs("box/output", C, 4) },
  };
}
