// Run for every file: what one has chosen is not left to the next.
import { afterAll } from "vitest";
import { changedBuild } from "./changed-build.ts";

afterAll(async () => {
  if (!changedBuild.is) return;
  const { useBuild } = await import("./kernel-build.ts");
  await useBuild(undefined);
});
