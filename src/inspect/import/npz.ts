import { type UnzipFileInfo, unzipSync } from "fflate";
import { quoted } from "../trace/fault.ts";
import type { Trace } from "../trace/trace.ts";
import { refuse } from "./fault.ts";
import { type FoundWeights, type TokenList, traceOf } from "./layers.ts";
import { type NpyArray, readNpy } from "./npy.ts";
import { Allowance, type ImportOptions } from "./options.ts";

/** What deflate can make of one byte at most; an archive that promises more is none. */
const MOST_GAIN = 1032;
/** A member's entry in the archive's directory has so many bytes at least. */
const LEAST_MEMBER = 46;
const REMEDY =
  "save attention weights and tokens alone, with np.savez_compressed(path, attention=…, tokens=…)";

/**
 * A trace of numpy's archive: every array of numbers with two to five axes is a layer, or several; every list of texts
 * names the axes that it fits. Integers count only where there is nothing else, as they may be ids and masks. Arrays
 * come in the order of their names, where 10 follows 9.
 *
 *     np.savez("trace.npz", attention=np.stack(out.attentions), tokens=np.array(tokens))
 *
 * Lists named after queries (`query_tokens`, `tgt`, `left`) go to queries, those after keys (`key_tokens`, `src`,
 * `right`) to keys, others to both.
 *
 * @throws DataError FORMAT, for archives that would unpack to more than their bytes can hold too, LIMIT
 */
export function fromNpz(bytes: Uint8Array, options: ImportOptions = {}): Trace {
  const allowance = new Allowance(bytes.length, options.mostBytes);
  const arrays = unpack(bytes, allowance)
    .map(([name, data]) => ({ name: name.replace(/\.npy$/, ""), ...readNpy(quoted(name), data, allowance) }))
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  return traceOfArrays(arrays, options);
}

/** A trace of one array of numpy. */
export function fromNpy(bytes: Uint8Array, options: ImportOptions = {}): Trace {
  const allowance = new Allowance(bytes.length, options.mostBytes);
  return traceOfArrays([{ name: "attention", ...readNpy("the array", bytes, allowance) }], options);
}

function unpack(bytes: Uint8Array, allowance: Allowance): [name: string, data: Uint8Array][] {
  let [packed, members] = [0, 0];
  try {
    const files = unzipSync(bytes, {
      filter: ({ name, size, originalSize }: UnzipFileInfo) => {
        packed += size;
        if (++members * LEAST_MEMBER > bytes.length)
          refuse("the archive", "have room for its members", `${bytes.length} bytes`, REMEDY);
        // Members that share bytes would multiply what the archive holds.
        if (packed > bytes.length || originalSize > size * MOST_GAIN)
          refuse(quoted(name), "unpack to what its bytes can hold", `${originalSize} of ${size}`, REMEDY);
        const isArray = name.endsWith(".npy");
        if (isArray) allowance.take("importTrace", quoted(name), originalSize);
        return isArray;
      },
    });
    return Object.entries(files);
  } catch (error) {
    if ((error as Error).name === "DataError") throw error;
    const remedy = "copy the file again, or save it again with numpy";
    return refuse("the archive", "be a whole .npz", (error as Error).message.slice(0, 80), remedy);
  }
}

type Named = NpyArray & { readonly name: string };
const QUERIES = /quer|tgt|target|left|output|dec/i;
const KEYS = /key|src|source|right|input|enc/i;

function traceOfArrays(arrays: readonly Named[], options: ImportOptions): Trace {
  const lists: TokenList[] = [];
  const floats: FoundWeights[] = [];
  const integers: FoundWeights[] = [];
  for (const { name, shape, values, isFloat } of arrays) {
    if (!(values instanceof Float32Array)) lists.push({ name, tokens: values });
    else if (shape.length >= 2) (isFloat ? floats : integers).push({ name, shape, values });
  }
  // Beside weights, integers are ids and masks.
  const weights = floats.length > 0 ? floats : integers;
  if (weights.length === 0) {
    const got = arrays.map(({ name }) => quoted(name)).slice(0, 8);
    refuse(
      "the file",
      "hold an array of numbers with two to five axes",
      got.join(", ") || "no array",
      REMEDY,
    );
  }
  const fitting = (length: number, own: RegExp, others: RegExp) => {
    const fit = lists.filter(({ tokens }) => tokens.length === length);
    return fit.find(({ name }) => own.test(name)) ?? fit.find(({ name }) => !others.test(name));
  };
  return traceOf(
    weights.map((found) => ({
      ...found,
      queries: fitting(found.shape.at(-2)!, QUERIES, KEYS),
      keys: fitting(found.shape.at(-1)!, KEYS, QUERIES),
    })),
    options,
  );
}
