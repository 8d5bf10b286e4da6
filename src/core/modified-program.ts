import type { OptionNames } from "./check-options.ts";
import { compileModification, type ModificationOptions } from "./expression/modification.ts";
import type { ArrayInfo, AttentionShapes } from "./notation.ts";
import { type AttentionProgram, type ProgramOptions, programOf } from "./program.ts";

/** The options of a program, and the functions that may change its scores. */
export type ModifiedOptions<A extends ArrayInfo = ArrayInfo> = ProgramOptions<A> & ModificationOptions<A>;

export const MODIFICATION_OPTION_NAMES: OptionNames<ModificationOptions> = {
  scoreMod: true,
  maskMod: true,
  tensors: true,
};

/**
 * `compileProgram` for calls that know `scoreMod` and `maskMod`. What else is asked for in the same options, its caller looks at.
 *
 * @throws what `compileProgram` throws · OptionError OPTION, DTYPE, CONFLICT · ShapeError SHAPE of the functions
 * @example
 * const shapes = { B: 1, T: 2, S: 2, H: 1, Hkv: 1, D: 4, Dv: 4 };
 * const { modification } = compileModified("attention", shapes, { maskMod: ({ q, k }) => q.greaterEqual(k) });
 * modification.mask.op; // "lessEqual"
 */
export function compileModified<A extends ArrayInfo>(
  op: string,
  shapes: AttentionShapes,
  { scoreMod, maskMod, tensors, ...options }: ModifiedOptions<A>,
): AttentionProgram<A> {
  const program = programOf<A>(op, shapes, options as ProgramOptions<A>);
  const modification = compileModification<A>(op, {
    ...(scoreMod !== undefined && { scoreMod }),
    ...(maskMod !== undefined && { maskMod }),
    ...(tensors !== undefined && { tensors }),
  });
  return modification ? { ...program, modification } : program;
}
