import { createHash } from "node:crypto";
import { strToU8, zipSync } from "fflate";
import type { PairDataset, Split } from "../../src/data/dataset.ts";
import { sourceHash } from "../../src/data/membership.ts";
import { rowsChecksum } from "../../src/data/rows.ts";
import type { SentencePair } from "../../src/data/tsv.ts";

const pair = (source: string, target: string): SentencePair => ({ source, target });

export const TOY_ROWS: Record<Split, SentencePair[]> = {
  train: [
    pair("I'm here.", "Je suis là."),
    pair("Go.", "Va !"),
    pair("Go.", "Bouge !"),
    pair("Hi.", "Salut !"),
  ],
  valid: [pair("Stop!", "Arrête !")],
  test: [pair("Run!", "Cours !"), pair("Run!", "Courez !")],
};

/** As the public text would have them: not normalised, doubled, in other order, with a row that no split has. */
const TEXT = [
  "Run!\tCourez !",
  "Left out.\tOublié.",
  "Hi.\tSalut\u202f!",
  "Go.\tVa !",
  "Go.\tBouge !",
  "I\u2019m here.\tJe suis là.",
  "Stop!\tArre\u0302te\u00a0!",
  "Hi.\tSalut !",
  "Run!\tCours !",
].join("\n");

const list = (...sources: string[]) =>
  Buffer.from(Uint32Array.from(sources, sourceHash).buffer).toString("base64");

/** The archive has 40 kB of noise beside the text, so that a line can be cut inside it. */
const noise = createHash("shake256", { outputLength: 40_009 }).update("noise").digest();
export const TOY_ARCHIVE = Buffer.from(
  zipSync(
    { "toy/noise.bin": noise, "toy/rows.txt": strToU8(TEXT) },
    { mtime: new Date(2026, 0, 1), level: 0 },
  ),
);

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const expected = (split: Split) => ({ rows: TOY_ROWS[split].length, sha256: rowsChecksum(TOY_ROWS[split]) });

/** A data set like those of the catalogue, whose archive is `TOY_ARCHIVE`. */
export const TOY: PairDataset = {
  name: "toy",
  title: "a toy",
  licence: "none",
  url: "http://127.0.0.1:9/never",
  bytes: TOY_ARCHIVE.length,
  sha256: sha256(TOY_ARCHIVE),
  member: "toy/rows.txt",
  membership: { rest: "train", lists: { valid: list("Stop!"), test: list("Run!"), "": list("Left out.") } },
  splits: { train: expected("train"), valid: expected("valid"), test: expected("test") },
  attribution: "# toy\n",
};
