/** Tokenizers of published models, by the library that reads tokenizer.json. */
import { Tokenizer } from "@huggingface/tokenizers";
import { DataError } from "../../core/errors.ts";
import { ggufTokenizer } from "./gguf-tokenizer.ts";

const OP = "PretrainedModel";

/** A tokenizer, or why there is none where the model has one that is not known; nothing where it has none. */
export interface ReadTokenizer {
  readonly tokenizer: Tokenizer | undefined;
  readonly refusal?: DataError<"UNSUPPORTED">;
}

/**
 * The tokenizer of a GGUF file, else of tokenizer.json; one that is not known refuses texts, and no ids.
 *
 * @throws DataError FORMAT where the metadata contradict themselves
 */
export function readTokenizer(
  json: (name: string) => Readonly<Record<string, unknown>> | undefined,
  metadata: ReadonlyMap<string, unknown>,
): ReadTokenizer {
  try {
    const own = ggufTokenizer(metadata);
    const tokenizer = own ? own.tokenizer : json("tokenizer.json");
    const config = own ? own.config : (json("tokenizer_config.json") ?? {});
    return { tokenizer: tokenizer && new Tokenizer(tokenizer as never, config as never) };
  } catch (cause) {
    if (!(cause instanceof DataError)) return { tokenizer: undefined, refusal: unknown(cause) };
    if (cause.code !== "UNSUPPORTED") throw cause;
    return { tokenizer: undefined, refusal: cause };
  }
}

/** A text's ids, and what each stands for. @throws DataError UNSUPPORTED where the tokenizer fails on it */
export function encodeText(
  tokenizer: Tokenizer,
  text: string,
  { special = true }: { special?: boolean } = {},
): { ids: number[]; tokens: string[] } {
  return guarded(() => {
    const { ids, tokens } = tokenizer.encode(text, { add_special_tokens: special });
    const wrong = [...tokens].find((token) => typeof token !== "string");
    if (wrong !== undefined || tokens.length !== ids.length) throw new Error("tokens that are no texts");
    return { ids, tokens };
  });
}

/** The text of ids, without tokens that stand for none. @throws DataError UNSUPPORTED where the tokenizer fails on them */
export function decodeIds(tokenizer: Pick<Tokenizer, "decode">, ids: readonly number[]): string {
  const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
  return guarded(() => tokenizer.decode([...ids], options));
}

/** The library takes tokenizer.json as it is, and fails on what is wrong in it where it meets that. */
function guarded<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw unknown(cause);
  }
}

function unknown(cause: unknown): DataError<"UNSUPPORTED"> {
  const got = cause instanceof Error ? cause.message : String(cause);
  const rule = "tokenizer.json must be one that is known";
  return new DataError("UNSUPPORTED", { op: OP, rule, got, remedy: "give ids instead of text" }, { cause });
}
