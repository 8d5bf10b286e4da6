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
): { file: string; values(tensor: PublishedTensor | undefined): Float32Array } {
  const op = "fromPublished";
  const { file, transposed, part } = placeOf(names, parameter);
  const size = product(shape);
  return {
    file,
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
