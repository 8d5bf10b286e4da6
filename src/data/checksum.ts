import { createHash, type Hash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";

/** What the bytes of a file must be: their sha256, or the id that git gives them, which the hub knows of small files. */
export type Checksum = { readonly sha256: string } | { readonly gitBlob: string };

/** The hexadecimal digits of a checksum. */
export const digitsOf = (checksum: Checksum): string =>
  "sha256" in checksum ? checksum.sha256 : checksum.gitBlob;

/** The checksum as errors call it. */
export const checksumTitle = (checksum: Checksum): string =>
  `${"sha256" in checksum ? "sha256" : "git blob id"} ${digitsOf(checksum)}`;

/** Git's id of a file is the sha1 of a header with its length, then of its bytes (git-scm.com/book, Git Objects). */
function start(checksum: Checksum, path: string): Hash {
  if ("sha256" in checksum) return createHash("sha256");
  return createHash("sha1").update(`blob ${statSync(path).size}\0`);
}

/** What the checksum of a file is, in hexadecimal digits, of the kind that is wanted. Reads it in pieces. */
export async function checksumOf(path: string, wanted: Checksum): Promise<string> {
  const hash = start(wanted, path);
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
