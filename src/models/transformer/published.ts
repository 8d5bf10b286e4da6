/** Parameters under the names and shapes that published checkpoints have, and back. */
import { DataError } from "../../core/errors.ts";
import type { ParameterSpecs } from "../parameters.ts";

/** Where a parameter, or all parameters below a name, stand in a checkpoint. `#` is the number of a layer or group. */
export interface Place {
  /** A module, to which `.weight` and `.bias` are added; or with `whole` the parameter itself. */
  readonly name: string;
  readonly whole?: boolean;
  /** Matrices are [in, out], as GPT-2's `Conv1D` keeps them. */
  readonly transposed?: boolean;
  /** One of several maps whose outputs stand side by side in one. */
  readonly part?: { readonly index: number; readonly of: number };
}

/** The names of one architecture: from a name here, with `#` for the layer, to the module there. */
export type PublishedNames = Readonly<Record<string, string | Place>>;

export interface PublishedTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const SUFFIX: Readonly<Record<string, string>> = {
  weight: "weight",
  bias: "bias",
  gamma: "weight",
  beta: "bias",
};

/** Where a parameter stands: the module's entry for its own name, else for the name that it stands below. */
function placeOf(names: PublishedNames, parameter: string): Place & { readonly file: string } {
  const layer = /(?<=\/)\d+(?=\/)/.exec(parameter)?.[0] ?? "";
  const general = parameter.replace(/(?<=\/)\d+(?=\/)/, "#");
  const own = names[general];
  const [, below, last] = /^(.*)\/(\w+)$/.exec(general) ?? [];
  const given = own ?? names[below!];
  if (given === undefined) {
    throw new DataError("MISSING", {
      op: "publishedNames",
      rule: "every parameter must have a place in the checkpoint",
      got: `none for ${parameter}`,
      remedy: "load it with the configuration of its own architecture",
    });
  }
  const place: Place = typeof given === "string" ? { name: given, whole: own !== undefined } : given;
  const module = place.name.replace("#", layer);
  return { ...place, file: place.whole ? module : `${module}.${SUFFIX[last!]!}` };
}

/** The name in a checkpoint of each parameter. */
export function publishedNames(names: PublishedNames, specs: ParameterSpecs): Record<string, string> {
  return Object.fromEntries(
    Object.keys(specs).map((parameter) => [parameter, placeOf(names, parameter).file]),
  );
}

/** The linear map that a matrix is, or is a part of, by the name that the checkpoint has for the module. */
export function publishedModule(
  names: PublishedNames,
  parameter: string,
): Pick<Place, "part" | "transposed"> & { readonly module: string } {
  const { file, part, transposed } = placeOf(names, parameter);
  return { module: file.replace(/\.weight$/, ""), ...(part && { part }), ...(transposed && { transposed }) };
}

const product = (shape: readonly number[]) => shape.reduce((all, n) => all * n, 1);

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c]!;
  return out;
}

/** The name in a checkpoint of one parameter, and what its tensor there holds of it. */
export function publishedParameter(
  names: PublishedNames,
  parameter: string,
  shape: readonly number[],
): {
  file: string;
  /** The tensor there is the parameter, row for row. */
  isWhole: boolean;
  values(tensor: PublishedTensor | undefined): Float32Array;
} {
  const op = "fromPublished";
  const { file, transposed, part } = placeOf(names, parameter);
  const size = product(shape);
  return {
    file,
    isWhole: !transposed && !part,
    values(tensor) {
      if (!tensor) {
        const remedy = "load it with the configuration of its own architecture";
        throw new DataError("MISSING", { op, rule: `the checkpoint must have ${file}`, got: "none", remedy });
      }
      if (product(tensor.shape) !== size * (part?.of ?? 1)) {
        throw new DataError("MISMATCH", {
          op,
          rule: `${file} must have the ${size * (part?.of ?? 1)} numbers of ${parameter} [${shape.join(", ")}]`,
          got: `shape [${tensor.shape.join(", ")}]`,
          remedy: "load it with the configuration that stands beside it",
        });
      }
      const isMatrix = transposed && shape.length === 2;
      const all = isMatrix ? transpose(tensor.values, tensor.shape[0]!, tensor.shape[1]!) : tensor.values;
      return part ? all.slice(part.index * size, (part.index + 1) * size) : all;
    },
  };
}

/**
 * The values of a model's parameters, read from a checkpoint one tensor at a time.
 *
 * @param read a tensor of the checkpoint; undefined where it has none of that name
 * @throws DataError MISSING, MISMATCH naming the tensor
 */
export function fromPublished(
  names: PublishedNames,
  specs: ParameterSpecs,
  read: (name: string) => PublishedTensor | undefined,
): Record<string, Float32Array> {
  const entries = Object.entries(specs).map(([parameter, { shape }]) => {
    const { file, values } = publishedParameter(names, parameter, shape);
    return [parameter, values(read(file))] as const;
  });
  return Object.fromEntries(entries);
}

/** A tensor as a checkpoint is to have it. */
export interface WrittenTensor {
  readonly shape: readonly number[];
  /** Its numbers, made when they are asked for. */
  values(): Float32Array;
}

/**
 * A model's parameters as tensors of a checkpoint: `fromPublished` the other way. Maps that stand side by side in one tensor
 * are put together again.
 *
 * @param read the values of a parameter
 * @throws DataError MISSING for a parameter that has no place there
 * @example
 * const specs = { "decoder/0/feed/in/weight": { shape: [2, 3], start: "glorot" } };
 * const names = { "decoder/#/feed/in": { name: "h.#.mlp.c_fc", transposed: true } };
 * const tensors = toPublished(names, specs, () => Float32Array.of(1, 2, 3, 4, 5, 6));
 * tensors.get("h.0.mlp.c_fc.weight").shape; // [3, 2]
 */
export function toPublished(
  names: PublishedNames,
  specs: ParameterSpecs,
  read: (parameter: string) => Float32Array,
): Map<string, WrittenTensor> {
  const places = Object.entries(specs).map(([parameter, { shape }]) => {
    return { parameter, shape, ...placeOf(names, parameter) };
  });
  const files = new Map<string, typeof places>();
  for (const place of places) files.set(place.file, [...(files.get(place.file) ?? []), place]);
  const tensors = [...files].map(([file, given]) => {
    const parts = given.toSorted((a, b) => (a.part?.index ?? 0) - (b.part?.index ?? 0));
    const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
    const { shape, transposed } = parts[0]!;
    const isMatrix = transposed === true && shape.length === 2;
    const values = () => {
      const all = joined(parts.map(({ parameter }) => read(parameter)));
      return isMatrix ? transpose(all, rows, shape[1]!) : all;
    };
    return [file, { shape: isMatrix ? [shape[1]!, rows] : [rows, ...shape.slice(1)], values }] as const;
  });
  return new Map(tensors);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
