/**
 * The base of every layer of heads. Such a layer states what is its own, and `attend`:
 *
 *     const fields = { ...headFields, ...sharedHeads, ...causalMask, ...dropout };
 *
 *     export class SoftAttention extends HeadLayer<typeof fields> {
 *       static readonly className = "SoftAttention";
 *       static readonly inputs = CROSS;                    // or SELF, or KEYED
 *       static readonly fields: typeof fields = fields;
 *
 *       protected override attend(heads: Heads): tf.Tensor4D {
 *         return softAttention(heads.q, heads.k, heads.v, heads.options).output;
 *       }
 *     }
 *
 * The inputs are projected to heads and back here, with the weights of Keras' names. What a mask hides may hold
 * anything: a hidden key is seen by no query, a hidden query gets 0 from every head, so that its output is the bias of
 * the output's projection. A mechanism reads masks as `heads.options` (those of the attention program), as
 * `heads.keyAllow`, or, where its positions must follow one another, as `heads.lengths`, which refuses holes.
 * Override `projections` where others than query, key and value are made, and `extras` where the mechanism has weights
 * of its own.
 */
import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { byDefault, type Fields, type FieldValues, flag, integer, optional, rate } from "./fields.ts";
import {
  checkSharing,
  headSizes,
  headWeights,
  join,
  outputWeights,
  project,
  projectionFields,
  swapped,
  type Weights,
} from "./heads.ts";
import type { LayerInput, Sizes } from "./inputs.ts";
import { type LayerCall, MechanismLayer, type WeightTable } from "./layer.ts";
import { boolMask, zeroHidden } from "./masks.ts";

/** A sequence that reads itself. */
export const SELF: readonly LayerInput[] = [{ name: "x", letters: "[B, T, C]" }];
/** A sequence that reads another, or itself where there is none. */
export const CROSS: readonly LayerInput[] = [
  { name: "query", letters: "[B, T, C]" },
  { name: "value", letters: "[B, S, Cv]", optional: true },
];
/** The same, whose keys may be a third. */
export const KEYED: readonly LayerInput[] = [
  ...CROSS,
  { name: "key", letters: "[B, S, Ck]", optional: true },
];

/** The fields of every layer of heads. */
export const headFields = { ...headSizes, ...projectionFields };
/** For mechanisms whose query heads can share the heads of keys and values. */
export const sharedHeads = {
  /** Hkv, the heads of keys and values; it divides numHeads, and neighbouring query heads share. @default numHeads */
  numKeyValueHeads: optional(integer(1)),
};
/** For mechanisms with a causal form. */
export const causalMask = {
  /** Position i sees positions up to i. @default false */
  useCausalMask: byDefault(flag(), false),
};
/** For mechanisms that have weights to drop. */
export const dropout = {
  /** Share of weights dropped in training. @default 0 */
  dropout: byDefault(rate(), 0),
};

type Config = FieldValues<typeof headFields> &
  Partial<FieldValues<typeof sharedHeads & typeof causalMask & typeof dropout>>;

/**
 * What a projection is for: the input that it reads, its heads and their width. Those of "query" are H of width D, of
 * "key" Hkv of D, of "value" Hkv of Dv; a "gate" of the heads reads the query, and has H of Dv.
 */
export type Role = "query" | "key" | "value" | "gate";
export type Projections = Readonly<Record<string, Role>>;

/** A layer of heads. */
export abstract class HeadLayer<F extends Fields & typeof headFields> extends MechanismLayer<F> {
  /** How heads lie in what `attend` is given and gives: "bhtd" [B, H, T, D], or "bthd" [B, T, H, D]. */
  protected readonly layout: "bhtd" | "bthd" = "bhtd";

  /** The mechanism: heads of queries, keys and values → those of the output, width Dv. */
  protected abstract attend(heads: Heads, call: LayerCall): tf.Tensor4D;

  /** What is projected to heads, by the names of the weights. */
  protected projections(): Projections {
    return { query: "query", key: "key", value: "value" };
  }

  /** Weights beside the projections. */
  protected extras(_sizes: Sizes): WeightTable<F> {
    return {};
  }

  /** The sizes of heads, in the one notation. */
  protected get sizes(): { H: number; Hkv: number; D: number; Dv: number } {
    const { numHeads: H, numKeyValueHeads: Hkv = H, keyDim: D, valueDim: Dv = D } = this.#config;
    return { H, Hkv, D, Dv };
  }

  // Types of single fields are lost in F.
  get #config(): Config {
    return this.config as unknown as Config;
  }

  protected override check(): void {
    const { numHeads, numKeyValueHeads } = this.config as unknown as Config;
    checkSharing(this.op, numHeads, numKeyValueHeads);
  }

  protected override parameters(sizes: Sizes): WeightTable<F> {
    const { H, Hkv, D, Dv } = this.sizes;
    const { C, Cv = C!, Ck = Cv } = sizes;
    const shapes = {
      query: [C!, H, D],
      key: [Ck, Hkv, D],
      value: [Cv, Hkv, Dv],
      gate: [C!, H, Dv],
    } as const;
    const { useBias } = this.#config;
    const table: Record<string, WeightTable<typeof projectionFields>[string]> = {};
    for (const [name, role] of Object.entries(this.projections())) {
      Object.assign(table, headWeights(name, shapes[role], useBias));
    }
    Object.assign(table, outputWeights([H, Dv, C!], useBias));
    return { ...(table as WeightTable<F>), ...this.extras(sizes) };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight: Weights = (name) => this.weightIf(name);
    const layer = {
      op: this.op,
      config: this.#config,
      projections: this.projections(),
      layout: this.layout,
      weight,
    };
    const heads = new Heads(layer, inputs as tf.Tensor3D[], call);
    const output = this.attend(heads, call);
    const rows = this.layout === "bthd" ? output : swapped(output);
    return join(weight, zeroHidden(rows, heads.present));
  }
}

/** What the heads of a call take from their layer. */
interface LayerOfHeads {
  readonly op: string;
  readonly config: Config;
  readonly projections: Projections;
  readonly layout: "bhtd" | "bthd";
  readonly weight: Weights;
}

/** The inputs of one call as heads, with its masks and options. */
export class Heads {
  /** Where there is a query: bool [B, T]; undefined where all are there. */
  readonly present: tf.Tensor | undefined;
  /** The inputs, with zeros for what is hidden, so that nothing of it reaches a gradient. */
  readonly inputs: { readonly query: tf.Tensor3D; readonly value: tf.Tensor3D; readonly key: tf.Tensor3D };
  readonly layout: "bhtd" | "bthd";
  readonly #layer: LayerOfHeads;
  readonly #call: LayerCall;
  readonly #visible: tf.Tensor | undefined;

  constructor(layer: LayerOfHeads, inputs: readonly tf.Tensor3D[], call: LayerCall) {
    const [query, value = query, key = value] = inputs as [tf.Tensor3D, tf.Tensor3D?, tf.Tensor3D?];
    const titles = inputs.length < 2 ? SELF : KEYED;
    const [own, ...others] = inputs.map((x, at) => {
      const title = `the mask of ${titles[at]!.name} ${titles[at]!.letters}`;
      return boolMask(layer.op, title, call.masks[at], x.shape.slice(0, 2));
    });
    const hiding = (inputs.length < 2 ? [own] : others).filter((mask) => mask !== undefined);
    const visible = hiding.length > 0 ? hiding.reduce((a, b) => tf.logicalAnd(a, b)) : undefined;
    const shown = zeroHidden(query, own);
    const values = inputs.length < 2 ? shown : zeroHidden(value, visible);
    this.present = own;
    this.inputs = { query: shown, value: values, key: key === value ? values : zeroHidden(key, visible) };
    this.layout = layer.layout;
    this.#layer = layer;
    this.#call = call;
    this.#visible = visible;
  }

  /** The heads of one projection: of the input of its role, or of x. */
  project(name: string, x?: tf.Tensor3D): tf.Tensor4D {
    const { projections, weight } = this.#layer;
    const role = projections[name]!;
    const heads = project(weight, name, x ?? this.inputs[role === "gate" ? "query" : role]);
    return this.layout === "bthd" ? heads : swapped(heads);
  }

  get q(): tf.Tensor4D {
    return this.project("query");
  }

  get k(): tf.Tensor4D {
    return this.project("key");
  }

  get v(): tf.Tensor4D {
    return this.project("value");
  }

  /** The masks, for mechanisms that read the options of the attention program. */
  get masks(): { allow?: tf.Tensor; causal?: "topLeft" } {
    const visible = this.#visible;
    return {
      ...(visible && { allow: tf.reshape(visible, [visible.shape[0]!, 1, 1, visible.shape[1]!]) }),
      ...(this.#layer.config.useCausalMask && { causal: "topLeft" }),
    };
  }

  /** What is dropped in training, and whether this is training. */
  get dropping(): { dropout: { rate: number; seed: number }; training: boolean } {
    const { training, seed } = this.#call;
    return { dropout: { rate: this.#layer.config.dropout ?? 0, seed }, training };
  }

  /** Masks and dropout, as the options of most mechanisms. */
  get options() {
    return { ...this.masks, ...this.dropping };
  }

  /** Where a key may be seen: bool [B, S]; undefined where all may. */
  get keyAllow(): tf.Tensor2D | undefined {
    const [B, S] = this.inputs.key.shape;
    return this.#visible && tf.logicalAnd<tf.Tensor2D>(this.#visible, tf.ones([B, S], "bool"));
  }

  /**
   * How many positions of each example are there, for mechanisms whose positions follow one another; the mask is read
   * from the device.
   *
   * @throws OptionError MASK when it hides others than the last
   */
  get lengths(): number[] | undefined {
    const allow = this.keyAllow;
    if (!allow) return undefined;
    const [B, S] = allow.shape;
    const kept = allow.dataSync();
    return Array.from({ length: B }, (_, example) => {
      const row = kept.subarray(example * S, (example + 1) * S);
      const length = row.lastIndexOf(1) + 1;
      const position = row.indexOf(0);
      if (position >= 0 && position < length) {
        throw new OptionError("MASK", {
          op: this.#layer.op,
          rule: "its mask must hide the last positions of an example alone",
          got: `position ${position} of example ${example} hidden before one that is not`,
          remedy: "pad at the end",
          example,
          position,
        });
      }
      return length;
    });
  }
}
