import { checkChoice, checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { normSpecs } from "../maps.ts";
import type { ParameterSpecs } from "../parameters.ts";

/** What a Transformer keeps of the segments before, or has learned beside them. */
export type MemoryKind =
  /** A segment knows itself alone. */
  | { kind: "none" }
  /** Transformer-XL: the states of the last `length` positions, at every layer. */
  | { kind: "recurrent"; length: number }
  /** Compressive Transformer: besides, `compressed` slots for what is older, each made of `rate` positions. */
  | {
      kind: "compressive";
      length: number;
      compressed: number;
      rate: number;
      by: "mean" | "max" | "convolution";
    }
  /** Memorizing Transformer: keys and values of the last `length` positions at one layer, of which each query reads few. */
  | {
      kind: "neighbours";
      length: number;
      neighbours: number;
      /** From 0. @default the last one */
      layer?: number;
    }
  /** Persistent memory: `slots` learned keys and values of each head at every layer. */
  | { kind: "persistent"; slots: number };

export interface MemoryTransformerConfig {
  /** V, tokens. */
  vocabulary: number;
  /** C */
  width: number;
  /** H; they divide C. */
  heads: number;
  layers: number;
  /** F, between the two maps of the feed-forward sublayer; 0 leaves it out, as persistent memory does. */
  inner: number;
  memory: MemoryKind;
}

export const OP = "MemoryTransformer";

/** Buckets of the bias of distances where no memory has positions. */
const BUCKETS = 32;

/**
 * Checks a configuration.
 *
 * @throws OptionError OPTION, CONFLICT before anything is made
 */
export function checkMemoryConfig(config: MemoryTransformerConfig): void {
  for (const name of ["vocabulary", "width", "heads", "layers"] as const) checkCount(OP, name, config[name]);
  checkCount(OP, "inner", config.inner, 0);
  const { width: C, heads: H, memory, layers } = config;
  if (C % H !== 0) {
    refuse(`width C=${C} must be a multiple of heads H=${H}`, `${C} and ${H}`);
  }
  checkChoice(OP, "memory.kind", memory?.kind, [
    "none",
    "recurrent",
    "compressive",
    "neighbours",
    "persistent",
  ]);
  const count = (name: string, value: number) => checkCount(OP, `memory.${name}`, value);
  if ("length" in memory) count("length", memory.length);
  if (memory.kind === "persistent") count("slots", memory.slots);
  if (memory.kind === "neighbours") {
    count("neighbours", memory.neighbours);
    if (memory.layer !== undefined) checkCount(OP, "memory.layer", memory.layer, 0, layers - 1);
  }
  if (memory.kind !== "compressive") return;
  count("compressed", memory.compressed);
  count("rate", memory.rate);
  checkChoice(OP, "memory.by", memory.by, ["mean", "max", "convolution"]);
  if (memory.length % memory.rate !== 0) {
    refuse(`memory.length must be a multiple of memory.rate=${memory.rate}`, memory.length);
  }
}

function refuse(rule: string, got: unknown): never {
  throw new OptionError("CONFLICT", { op: OP, rule, got, remedy: "correct the configuration" });
}

/** Whether layer `n` has the external memory. */
export function hasNeighbours({ memory, layers }: MemoryTransformerConfig, n: number): boolean {
  return memory.kind === "neighbours" && n === (memory.layer ?? layers - 1);
}

/** Names, shapes and first values of the parameters, matrices as [into, out]. */
export function memoryParameters(config: MemoryTransformerConfig): ParameterSpecs {
  const { vocabulary: V, width: C, layers } = config;
  return {
    "embedding/token": { shape: [V, C], start: { normal: C ** -0.5 } },
    ...Object.assign({}, ...Array.from({ length: layers }, (_, n) => layerSpecs(config, n))),
    ...normSpecs("norm", C),
    "output/weight": { shape: [C, V], start: "glorot" },
    "output/bias": { shape: [V], start: "zeros" },
  };
}

function layerSpecs(config: MemoryTransformerConfig, n: number): ParameterSpecs {
  const { width: C, heads: H, inner: F, memory } = config;
  const D = C / H;
  const layer = `layer/${n}`;
  const matrix = (name: string, into = C, out = C): ParameterSpecs => ({
    [`${layer}/${name}`]: { shape: [into, out], start: "glorot" },
  });
  const isRelative = memory.kind === "recurrent" || memory.kind === "compressive";
  const heads = (name: string): ParameterSpecs => ({
    [`${layer}/${name}`]: { shape: [H, D], start: "zeros" },
  });
  return {
    ...normSpecs(`${layer}/norm`, C),
    ...matrix("query"),
    ...matrix("key"),
    ...matrix("value"),
    ...matrix("output"),
    ...(isRelative
      ? { ...matrix("distance"), ...heads("contentBias"), ...heads("distanceBias") }
      : { [`${layer}/buckets`]: { shape: [BUCKETS, H], start: { normal: 0.1 } } }),
    ...(memory.kind === "compressive" &&
      memory.by === "convolution" && {
        // The mean, from which it learns to keep more of what is read: noise would first have to learn to keep anything.
        [`${layer}/compress/weight`]: { shape: [memory.rate, C, C], start: { diagonal: 1 / memory.rate } },
        [`${layer}/compress/bias`]: { shape: [C], start: "zeros" as const },
      }),
    ...(hasNeighbours(config, n) && { [`${layer}/gate`]: { shape: [H], start: "zeros" as const } }),
    // As the paper begins them: as large as keys and values of the context.
    ...(memory.kind === "persistent" && {
      [`${layer}/persistent/keys`]: { shape: [H, memory.slots, D], start: { normal: 1 } },
      [`${layer}/persistent/values`]: { shape: [H, memory.slots, D], start: { normal: 1 } },
    }),
    ...(F > 0 && {
      ...normSpecs(`${layer}/feed/norm`, C),
      ...matrix("feed/in", C, F),
      [`${layer}/feed/in/bias`]: { shape: [F], start: "zeros" as const },
      ...matrix("feed/out", F, C),
      [`${layer}/feed/out/bias`]: { shape: [C], start: "zeros" as const },
    }),
  };
}
