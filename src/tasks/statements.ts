import { glimpseStatements } from "./glimpse/statements.ts";
import type { Statement } from "./statement.ts";
import { toyStatements } from "./toy/statements.ts";

/** Every statement, in the order in which `heed prove` runs them. A task adds its own list here. */
export const STATEMENTS: readonly Statement[] = [...toyStatements, ...glimpseStatements];
