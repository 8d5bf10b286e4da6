import { beforeAll, describe, expect, it } from "vitest";
import type { Case } from "../../conformance/inputs.mjs";
import { HeedError } from "../../src/core/errors.ts";
import { type Path, paths, startPaths } from "./paths.ts";
import { compare, suites, taskOf } from "./suite.ts";

beforeAll(startPaths);

/** What is wrong with one path on one case. */
async function problemsOf(c: Case, { precision, run }: Path): Promise<string[]> {
  try {
    const results = await run(taskOf(c));
    return c.error ? [`no error, not ${c.error}`] : compare(c, precision, results);
  } catch (error) {
    if (c.error && error instanceof HeedError)
      return error.code === c.error ? [] : [`${error.code}, not ${c.error}`];
    return [String(error)];
  }
}

describe.each(suites)("conformance/%s on every path:", (_, { cases }) => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", async (_name, c) => {
    const problems: string[] = [];
    for (const one of paths.filter(({ isPublic }) => isPublic || !c.error)) {
      for (const problem of await problemsOf(c, one)) problems.push(`${one.name}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });
});
