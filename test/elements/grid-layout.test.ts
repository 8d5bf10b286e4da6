import { expect, test } from "vitest";
import { gridLayout } from "../../src/elements/grid/thumbnail.ts";

test("the steps from head to head go forward, however narrow the page is", () => {
  for (const width of [0, 1, 20, 28, 30, 320, 484, 900])
    for (const columns of [1, 3, 16, 1000])
      expect(gridLayout(width, 2, columns).step, `${columns} heads in ${width} pixels`).toBeGreaterThan(0);
});
