/** Damaged files of a published model and of traces; `npm run fuzz -- readers` goes on from here. */
import { expect, test, vi } from "vitest";
import * as checkpoints from "../../../src/checkpoints/index.ts";
import * as errors from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import * as backend from "../../../src/host/select.ts";
import * as inspect from "../../../src/inspect/index.ts";
import * as lora from "../../../src/models/adapters/lora.ts";
import * as load from "../../../src/models/pretrained/load.ts";
import * as settings from "../../../src/tasks/pretrained/generation-settings.ts";
import * as gguf from "../../../src/tasks/pretrained/gguf-tokenizer.ts";
import * as tokenizer from "../../../src/tasks/pretrained/tokenizer.ts";
import { faultOfFile, modelFiles } from "../../../tools/fuzz/model-files.mjs";

const modules = [checkpoints, errors, backend, inspect, lora, load, settings, gguf, tokenizer];
const parts = Object.assign({}, ...modules);
// The library of tokenizers says so of a pattern that it does not know, and goes on.
vi.spyOn(console, "warn").mockImplementation(() => {});

test.each(await modelFiles(parts))(
  "150 damaged copies of $name are read, or give one error of heed's own",
  async (reader) => {
    for (let index = 0; index < 150; index++) {
      const fault = await faultOfFile(parts, reader, new RandomStream(1, index));
      expect([index, fault]).toEqual([index, undefined]);
    }
  },
);
