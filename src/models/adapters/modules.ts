/** The linear maps of a model under the names that PEFT knows them by. */
import { OptionError } from "../../core/errors.ts";
import type { ModelForm } from "../pretrained/form.ts";
import { isReordered } from "../pretrained/pair-order.ts";
import type { FullConfig } from "../transformer/config.ts";
import { transformerParameters } from "../transformer/parameters.ts";
import { publishedModule } from "../transformer/published.ts";

/** A linear map as a published model has it: one matrix here, or several whose outputs stand side by side there. */
export interface LinearModule {
  /** The published name, with the prefix of the whole model. */
  readonly name: string;
  readonly into: number;
  readonly out: number;
  /** The matrices, by their names here, one below the other. */
  readonly matrices: readonly { readonly name: string; readonly rows: number }[];
  /** Kept [in, out] there. */
  readonly transposed: boolean;
  /** Rows that stand in another order there. */
  readonly reordered: boolean;
}

/** Matrices [out, in] that map states: no tables, no patches, no last matrix. */
const MAPS = /^(?:encoder|decoder)\/|^pooler\/|^classifier\/|^head\/transform\/|^embedding\/projection\//;

export function linearModules(config: FullConfig, { names }: ModelForm): LinearModule[] {
  const found = new Map<
    string,
    { at: number; name: string; rows: number; into: number; transposed: boolean }[]
  >();
  for (const [name, { shape }] of Object.entries(transformerParameters(config))) {
    if (!(MAPS.test(name) && name.endsWith("/weight"))) continue;
    const { module, part, transposed = false } = publishedModule(names, name);
    const [rows, into] = shape as [number, number];
    found.set(module, [...(found.get(module) ?? []), { at: part?.index ?? 0, name, rows, into, transposed }]);
  }
  return [...found].map(([name, parts]) => {
    const matrices = parts.toSorted((a, b) => a.at - b.at);
    const { into, transposed } = matrices[0]!;
    const out = matrices.reduce((sum, { rows }) => sum + rows, 0);
    return { name, into, out, matrices, transposed, reordered: isReordered(config, matrices[0]!.name) };
  });
}

/** Maps of queries and values, which the paper of LoRA adapts. */
const QUERIES_AND_VALUES = /\/(?:self|cross)\/(?:query|value)\/weight$/;

/**
 * The modules that PEFT would adapt: those whose name is one of `targets` or ends in it.
 *
 * @param targets such as `["q_proj", "v_proj"]`. @default the modules of queries and values
 * @throws OptionError UNKNOWN for a target that fits no module
 */
export function targetModules(
  modules: readonly LinearModule[],
  targets: readonly string[] | undefined,
): readonly LinearModule[] {
  if (!targets)
    return modules.filter(({ matrices }) => matrices.some(({ name }) => QUERIES_AND_VALUES.test(name)));
  const fits = (name: string, target: string) => name === target || name.endsWith(`.${target}`);
  const other = targets.find((target) => !modules.some(({ name }) => fits(name, target)));
  if (other === undefined) return modules.filter(({ name }) => targets.some((target) => fits(name, target)));
  const last = [...new Set(modules.map(({ name }) => lastName(name)))];
  throw new OptionError("UNKNOWN", {
    op: "LoraAdapter.start",
    rule: `a target must be a linear map of the model, such as ${last.join(", ")}`,
    got: other,
    remedy: "choose among them",
  });
}

/** What modules of one kind share: the last part of their name that is no number. */
export const lastName = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
