import { adaptiveStatements } from "./adaptive/statements.ts";
import { discreteStatements } from "./discrete/statements.ts";
import { efficientLinearStatements } from "./efficient/linear/statements.ts";
import { sparseStatements } from "./efficient/statements.ts";
import { featureStatements } from "./feature/statements.ts";
import { glimpseStatements } from "./glimpse/statements.ts";
import { guidelineStatements } from "./guidelines/statements.ts";
import { positionStatements } from "./position/statements.ts";
import { sequenceStatements } from "./sequence/statements.ts";
import type { Statement } from "./statement.ts";
import { toyStatements } from "./toy/statements.ts";

/** Every statement, in the order in which `heed prove` runs them. A task adds its own list here. */
export const STATEMENTS: readonly Statement[] = [
  ...toyStatements,
  ...positionStatements,
  ...sparseStatements,
  ...guidelineStatements,
  ...discreteStatements,
  ...adaptiveStatements,
  ...featureStatements,
  ...efficientLinearStatements,
  ...glimpseStatements,
  ...sequenceStatements,
];
