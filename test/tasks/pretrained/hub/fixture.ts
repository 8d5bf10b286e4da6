import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { HeedError } from "../../../../src/core/errors.ts";
import { locateModel, MODEL_RECORD } from "../../../../src/data/locate-model.ts";
import {
  type FetchedModel,
  type FetchModelOptions,
  fetchModel,
} from "../../../../src/tasks/pretrained/hub/fetch-model.ts";
import { modelFolder } from "../fixture.ts";
import { type Files, filesOf, MODEL } from "./hub-server.ts";

/** The files of a repository, more than heed needs. */
export function repositoryFiles(): Files {
  const folder = modelFolder();
  const files = {
    ...filesOf(folder),
    "README.md": Buffer.from("# tiny"),
    "tf_model.h5": Buffer.from("another's"),
    "pytorch_model.bin": Buffer.from("the same weights once more"),
    "1_Pooling/config.json": Buffer.from('{"pooling_mode_mean_tokens":true}'),
    "modules.json": Buffer.from("[]"),
    "vocab.txt": Buffer.from(""),
  };
  rmSync(path.dirname(folder), { recursive: true });
  return files;
}

/** Those of them that heed needs. */
export const NEEDED: readonly string[] = [
  "1_Pooling/config.json",
  "config.json",
  "model.safetensors",
  "modules.json",
  "tokenizer.json",
  "vocab.txt",
];

/** The cache of one test, empty, and an environment without a hub or a token. */
export interface Cache {
  readonly root: string;
  /** Of the model. */
  readonly folder: string;
}

export function useCache(): Cache {
  const cache = { root: "", folder: "" };
  beforeEach(() => {
    cache.root = mkdtempSync(path.join(tmpdir(), "heed-hub-"));
    cache.folder = path.join(cache.root, "heed/models", MODEL);
    vi.stubEnv("XDG_CACHE_HOME", cache.root);
    vi.stubEnv("HF_TOKEN", "");
    vi.stubEnv("HF_ENDPOINT", "");
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(cache.root, { recursive: true });
  });
  return cache;
}

export const get = (endpoint: string, options: FetchModelOptions = {}): Promise<FetchedModel> =>
  fetchModel(MODEL, { endpoint, retryDelayMs: 1, ...options });

export const failure = (endpoint: string, options: FetchModelOptions = {}): Promise<HeedError> =>
  get(endpoint, options).then(
    () => expect.fail("the model was fetched"),
    (error: HeedError) => error,
  );

export function expectWhole({ folder }: Cache, files: Files): void {
  expect(Object.keys(filesOf(folder)).sort()).toEqual([...NEEDED, MODEL_RECORD].sort());
  for (const name of NEEDED) expect(readFileSync(path.join(folder, name))).toEqual(files[name]);
}

/** Nothing may take a half model for a whole one. */
export function expectNone({ folder }: Cache): void {
  expect(existsSync(path.join(folder, MODEL_RECORD))).toBe(false);
  expect(() => locateModel(MODEL)).toThrow(`run "heed models fetch ${MODEL}"`);
}
