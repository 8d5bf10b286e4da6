import { beforeAll, describe, expect, it } from "vitest";
import { gpuTest } from "../support/gpu.ts";
import { gpuPath, paths, problemsOf, startPaths } from "./paths.ts";
import { expectedOfFunction, functionTaskOf, suites } from "./suite.ts";

beforeAll(startPaths);

describe.each(suites)("conformance/%s on every path:", (_, { cases }) => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", async (_name, c) => {
    const problems: string[] = [];
    for (const one of paths.filter(({ isPublic }) => isPublic || !c.error)) {
      for (const problem of await problemsOf(c, one)) problems.push(`${one.name}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });
});

describe("by its function of scores, on every path:", () => {
  const all = suites.flatMap(([, { cases }]) => cases).filter((c) => c.function);
  it.each(all.map((c) => [c.name, c] as const))("%s", async (_name, c) => {
    const problems: string[] = [];
    for (const one of paths) {
      for (const problem of await problemsOf(expectedOfFunction(c), one, functionTaskOf(c))) {
        problems.push(`${one.name}: ${problem}`);
      }
    }
    expect(problems).toEqual([]);
  });
});

/**
 * One case here, which test/host/webgpu adds options to, and all of them with `npm run fuzz -- webgpu-backend`: a software
 * device compiles the shaders of a case for seconds.
 */
const isFull = process.env.HEED_WEBGPU === "all";

describe.each(suites.filter(([file]) => isFull || file === "heed.json"))(
  "conformance/%s on webgpu:",
  (_, { cases }) => {
    for (const c of isFull ? cases : cases.slice(0, 1)) {
      gpuTest(c.name, async () => {
        expect(await problemsOf(c, gpuPath)).toEqual([]);
      });
    }
  },
);
