import { createHash } from "node:crypto";

/**
 * Which rows of a public archive belong to which split, without shipping the rows: for each split but the one that
 * takes the rest, the sorted list of the first 32 bits of sha256(normalised source). The maker of the list
 * (tools/data/membership.mjs) proves that on the pinned archive no two lists share a hash and no source of the rest
 * has a hash that is listed, so there the lists are exact, not probable.
 *
 * Written as base64 of the little-endian 32-bit hashes.
 */
export interface Membership {
  /** The split of every source in no list. */
  readonly rest: string;
  /** Name of a split → its hashes; the name "" is for rows of the archive that no split has. */
  readonly lists: Readonly<Record<string, string>>;
}

export function sourceHash(source: string): number {
  return createHash("sha256").update(source).digest().readUInt32LE(0);
}

/** A function from a normalised source sentence to its split, undefined for sources that no split has. */
export function memberLookup(membership: Membership): (source: string) => string | undefined {
  const splits = new Map<number, string>();
  for (const [name, list] of Object.entries(membership.lists)) {
    const bytes = Buffer.from(list, "base64");
    for (let at = 0; at < bytes.length; at += 4) splits.set(bytes.readUInt32LE(at), name);
  }
  return (source) => {
    const split = splits.get(sourceHash(source)) ?? membership.rest;
    return split === "" ? undefined : split;
  };
}
