import { expect, test } from "vitest";
import { memoryBytes, openCheckpoint } from "../../src/checkpoints/index.ts";
import { HeedError } from "../../src/core/errors.ts";
import { RandomStream } from "../../src/core/random.ts";
import { mutate } from "../../tools/fuzz/mutate.mjs";
import { checkpoints, faultOf } from "../../tools/fuzz/readers.mjs";

const parts = { openCheckpoint, memoryBytes, HeedError };

// `npm run fuzz -- readers` goes on from here.
test.each(checkpoints())(
  "300 damaged copies of $name give tensors or one error of heed's own",
  async (file) => {
    for (let index = 0; index < 300; index++) {
      const fault = await faultOf(parts, mutate(file.bytes, new RandomStream(1, index)));
      expect([index, fault]).toEqual([index, undefined]);
    }
  },
);
