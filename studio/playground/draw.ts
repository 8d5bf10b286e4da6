import { at, run } from "../call/call.ts";
import { FUNCTIONS, numbersOf, withoutTensors } from "../call/functions.ts";
import { importsOf, printProgram } from "../call/print.ts";
import type { PlayState } from "./hash.ts";
import type { Figure, Stage } from "./preset.ts";
import { type Grids, gridsOf } from "./values.ts";

/** What a preset gives for some values: the pictures, and the numbers that its code prints. */
export interface Drawn {
  readonly grids: Grids;
  readonly stages: readonly Stage[];
  readonly code: string;
  /** The functions of heed that the code calls. */
  readonly calls: readonly string[];
  readonly shown: Readonly<Record<string, unknown>>;
  readonly figure: Figure | undefined;
}

/** Runs a preset's program on heed's own functions. */
export function draw({ preset, values, edits }: PlayState): Drawn {
  const grids = gridsOf(values, edits);
  const program = preset.program(values, grids);
  return withoutTensors(() => {
    const result = run(program, FUNCTIONS);
    const shown = Object.entries(program.shows).map(([name, path]) => [name, numbersOf(at(result, path))]);
    const context = { values, grids, result };
    return {
      ...{ grids, stages: preset.stages(context), code: printProgram(program), calls: importsOf(program) },
      ...{ shown: Object.fromEntries(shown), figure: preset.figure?.(context) },
    };
  });
}
