import type { Tokenizer } from "@huggingface/tokenizers";
import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../capture/index.ts";
import { DataError } from "../../core/errors.ts";
import type { RgbaPicture } from "../../data/pictures/index.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { Trace } from "../../inspect/index.ts";
import { openModelFolder } from "../../models/pretrained/folder.ts";
import { type LoadOptions, loadPretrained } from "../../models/pretrained/load.ts";
import { mostTokens } from "../../models/transformer/config.ts";
import type { Transformer } from "../../models/transformer/transformer.ts";
import { encodePng } from "../../viz/index.ts";
import { checkText } from "../check-texts.ts";
import { type GenerationSettings, generationSettings } from "./generation-settings.ts";
import { fieldsOf, patchesOfSquare, pictureFormat, squareOf } from "./picture-patches.ts";
import { encodeText, readTokenizer } from "./tokenizer.ts";

const OP = "PretrainedModel";

/** A text as a model reads it. */
export interface Encoded {
  readonly ids: readonly number[];
  /** What each id stands for, as people read it: "Ġ" and "▁" are spaces. */
  readonly tokens: readonly string[];
}

/**
 * A published model with its tokenizer.
 *
 * @example
 * const model = await loadModel("my-model"); // a folder as the Hugging Face hub has it
 * model.look("The cat sat.").layers.length; // 2
 * model.dispose();
 */
export class PretrainedModel {
  readonly model: Transformer;
  /** Undefined where the model has none, or one that is not known: such a model takes ids. */
  readonly tokenizer: Tokenizer | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly settings: GenerationSettings;
  readonly #preprocessor: Readonly<Record<string, unknown>>;
  readonly #refusal: DataError<"UNSUPPORTED"> | undefined;

  constructor(of: {
    model: Transformer;
    tokenizer: Tokenizer | undefined;
    config: Readonly<Record<string, unknown>>;
    /** @default those of `config` */
    settings?: GenerationSettings;
    /** preprocessor_config.json, of a model of pictures. */
    preprocessor?: Readonly<Record<string, unknown>>;
    /** Why there is no tokenizer, where the model has one that is not known. */
    refusal?: DataError<"UNSUPPORTED"> | undefined;
  }) {
    this.model = of.model;
    this.tokenizer = of.tokenizer;
    this.config = of.config;
    this.settings = of.settings ?? generationSettings({}, of.config);
    this.#preprocessor = of.preprocessor ?? {};
    this.#refusal = of.refusal;
  }

  /** Whether the model reads pictures, and no text. */
  get readsPictures(): boolean {
    return this.model.config.inputWidth !== undefined;
  }

  /**
   * @throws OptionError OPTION for what is no text · DataError MISSING without a tokenizer, UNSUPPORTED where it is not known or
   *   fails, LIMIT for a text that is longer than the model's positions
   */
  encode(text: string): Encoded {
    checkText(OP, "text", text);
    if (this.#refusal) throw this.#refusal;
    if (!this.tokenizer) {
      const remedy = "download the whole folder, or give ids";
      const fault = { op: OP, rule: "reading text needs tokenizer.json", got: "none in the folder", remedy };
      throw new DataError("MISSING", fault);
    }
    const { ids, tokens } = encodeText(this.tokenizer, text);
    this.check(ids);
    return { ids, tokens: tokens.map(readable) };
  }

  /** @throws DataError UNKNOWN, LIMIT */
  check(ids: readonly number[]): void {
    const { vocabulary } = this.model.config;
    const other = ids.find((id) => !(Number.isSafeInteger(id) && id >= 0 && id < vocabulary));
    if (other !== undefined) {
      const rule = `an id must be an integer from 0 to ${vocabulary - 1}`;
      const remedy = "the tokenizer and the weights belong to different models";
      throw new DataError("UNKNOWN", { op: OP, rule, got: other, remedy });
    }
    if (ids.length === 0) {
      const fault = { op: OP, rule: "a text must have a token", got: "none", remedy: "give some text" };
      throw new DataError("SHAPE", fault);
    }
    const most = mostTokens(this.model.config);
    if (ids.length <= most) return;
    const rule = `a text must have at most the ${most} tokens of the model`;
    throw new DataError("LIMIT", { op: OP, rule, got: ids.length, remedy: "give a shorter one" });
  }

  /** States of one sequence: [1, T, C]. */
  states(ids: readonly number[]): tf.Tensor3D {
    return tf.tidy(() => {
      const tokens = tf.tensor2d([...ids], [1, ids.length], "int32");
      return this.model.config.encoderLayers > 0
        ? this.model.encode({ tokens })
        : this.model.decode({ tokens });
    });
  }

  /** What every head of every layer looks at. @throws DataError MISSING, UNKNOWN, LIMIT */
  look(text: string | Encoded): Trace {
    const { ids, tokens } = typeof text === "object" && "ids" in text ? text : this.encode(text as string);
    this.check(ids);
    const nothing = tf.scalar(0);
    try {
      return capture(() => this.states(ids), nothing, { tokens: { text: [...tokens] }, thumbnails: true });
    } finally {
      nothing.dispose();
    }
  }

  /**
   * What every head of every layer looks at in a picture, whatever its size: the trace has the square that the model reads.
   *
   * @throws DataError MISMATCH for a model of text, UNSUPPORTED for a way to prepare pictures that is not known
   */
  lookAtPicture(picture: RgbaPicture): Trace {
    if (!this.readsPictures) {
      const fault = {
        op: OP,
        rule: "a model must read pictures",
        got: "one of text",
        remedy: "give it text",
      };
      throw new DataError("MISMATCH", fault);
    }
    const format = pictureFormat(this.config, this.#preprocessor);
    const { size, patch } = format;
    const pixels = squareOf(picture, format);
    const side = size / patch;
    const patches = Array.from(
      { length: side * side },
      (_, n) => `${Math.floor(n / side) + 1}:${(n % side) + 1}`,
    );
    const cls = Number(this.model.config.classToken);
    const grid = { height: side, width: side, patch, cls };
    const image = encodePng({ height: size, width: size, channels: 3, data: pixels });
    const tokens = { patches: [...(cls ? ["[class]"] : []), ...patches] };
    const inputs = tf.tensor3d(patchesOfSquare(pixels, format), [1, side * side, 3 * patch * patch]);
    try {
      const states = () => this.model.encode({ tokens: inputs });
      return capture(states, undefined, { image, grid, tokens, thumbnails: true });
    } finally {
      inputs.dispose();
    }
  }

  dispose(): void {
    this.model.dispose();
  }
}

/** Pieces of byte-level vocabularies have "Ġ" for a space and "Ċ" for a line feed, SentencePiece "▁". */
const readable = (token: string): string => token.replaceAll(/[Ġ▁]/g, " ").replaceAll("Ċ", "\n");

/**
 * Loads a published model from a folder as the hub has it, from a file of weights, or by the name under which `fetchModel`
 * brought it, OWNER/NAME.
 *
 * @throws FileError MISSING, UNREADABLE · DataError DAMAGED, FORMAT, UNSUPPORTED, MISSING, MISMATCH, LIMIT
 */
export async function loadModel(place: string, options: LoadOptions = {}): Promise<PretrainedModel> {
  await useHeedBackend();
  const { checkpoint, config, json } = await openModelFolder(place);
  try {
    const { metadata, format } = checkpoint;
    const settings = generationSettings(json("generation_config.json"), config, metadata);
    const read = readTokenizer(json, format === "gguf" ? metadata : new Map());
    const model = await loadPretrained(checkpoint, config, options);
    const preprocessor = fieldsOf(json("preprocessor_config.json"));
    return new PretrainedModel({ model, ...read, config, settings, preprocessor });
  } finally {
    await checkpoint.close();
  }
}
