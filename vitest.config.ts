import { defineConfig } from "vitest/config";

/**
 * Files share the modules of their worker, which saves loading TensorFlow.js three hundred times. A file whose name ends in
 * `.alone.test.ts` needs modules that nothing has run in before: it tests what they do at first, or when memory is full.
 */
const ALONE = "test/**/*.alone.test.ts";

export default defineConfig({
  test: {
    pool: "forks",
    // Tests make many small arrays that live for a moment: where they lie is swept less often when it is larger.
    execArgv: ["--max-semi-space-size=64"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: [ALONE],
          setupFiles: "test/support/restore-build.ts",
          isolate: false,
        },
      },
      { extends: true, test: { name: "alone", include: [ALONE] } },
    ],
  },
});
