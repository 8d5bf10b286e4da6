import type { CardData } from "../card-data.ts";

/** The sizes of the ALBERT that reads reactions. */
export interface MapperConfig {
  layers: number;
  /** C */
  width: number;
  heads: number;
  /** F */
  inner: number;
  /** E, the width of token embeddings. */
  embeddingWidth: number;
  /** The most tokens of a reaction, with the two around it. */
  positions: number;
  /** Kinds of segments, of which reactions use the first. */
  types: number;
  epsilon: number;
}

/** Which head maps, and how: both numbers from 0. */
export interface MappingConfig {
  layer: number;
  head: number;
  /** How much likelier neighbours of mapped atoms become. */
  multiplier: number;
}

/** What a reader must know of a model that others trained: whose it is, what it learnt from, what it was compared with here. */
export interface AtomMappingCard {
  name: string;
  task: "atom-mapping";
  description: string;
  model: MapperConfig;
  mapping: MappingConfig;
  parameters: number;
  data: CardData;
  source: {
    /** Package and version. */
    package: string;
    /** Of its weights file. */
    sha256: string;
    licence: string;
    paper: string;
    /** What was changed. */
    changes: string;
    /** What made this folder from it. */
    command: string;
  };
  metrics: {
    /** What the maps are compared with. */
    against: string;
    reactions: number;
    /** Reactions whose mapped text is the same, sign by sign. */
    equal: number;
    /** The largest difference of a confidence. */
    confidence: number;
    command: string;
  };
  limits: string[];
}
