/**
 * Members of a zip archive that lie in it as they are, read in place (APPNOTE 6.3.10, §4.3–4.5, ZIP64 among it). Writers of
 * checkpoints do not compress, so that a tensor can be read alone; a compressed member is unpacked up to a limit.
 */
import { inflateSync } from "fflate";
import { type ByteSource, damaged, unsupported } from "./bytes.ts";

export interface ZipMember {
  readonly name: string;
  readonly size: number;
  /** Whether a part of it can be read without the rest. */
  readonly isStored: boolean;
  /** Its bytes, or a part of them. */
  read(offset?: number, length?: number): Promise<Uint8Array>;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
/** What an archive's list may take, and what a compressed member may become. */
const MOST_LIST = 64 * 2 ** 20;
const MOST_UNPACKED = 256 * 2 ** 20;
const IN_ZIP64 = 0xffffffff;
const [STORED, DEFLATED] = [0, 8];

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** @throws DataError DAMAGED, UNSUPPORTED */
export async function openZip(source: ByteSource): Promise<ReadonlyMap<string, ZipMember>> {
  const { name } = source;
  const { start, size, entries } = await findList(source);
  if (size > MOST_LIST) throw damaged(name, `the archive's list must take at most ${MOST_LIST} bytes`, size);
  const list = await source.read(start, size);
  const view = viewOf(list);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let n = 0; n < entries; n++) {
    if (at + 46 > size || view.getUint32(at, true) !== CENTRAL)
      throw damaged(name, `the archive's list must have ${entries} members`, n);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    );
    const end = at + 46 + nameBytes! + extraBytes! + commentBytes!;
    if (end > size) throw damaged(name, "a member's entry must end within the list", end);
    const title = new TextDecoder().decode(list.subarray(at + 46, at + 46 + nameBytes!));
    const extra = list.subarray(at + 46 + nameBytes!, at + 46 + nameBytes! + extraBytes!);
    const entry = readEntry(view, at, extra);
    if (members.has(title)) throw damaged(name, "a member must appear once", title);
    members.set(title, memberOf(source, title, entry));
    at = end;
  }
  return members;
}

interface Entry {
  method: number;
  flags: number;
  packed: number;
  size: number;
  local: number;
}

function readEntry(view: DataView, at: number, extra: Uint8Array): Entry {
  const entry = {
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    size: view.getUint32(at + 24, true),
    packed: view.getUint32(at + 20, true),
    local: view.getUint32(at + 42, true),
  };
  // The ZIP64 field has, in this order, the numbers that did not fit.
  const fields = viewOf(extra);
  for (let n = 0; n + 4 <= extra.length; n += 4 + fields.getUint16(n + 2, true)) {
    if (fields.getUint16(n, true) !== 1) continue;
    let from = n + 4;
    for (const key of ["size", "packed", "local"] as const) {
      if (entry[key] !== IN_ZIP64 || from + 8 > extra.length) continue;
      entry[key] = Number(fields.getBigUint64(from, true));
      from += 8;
    }
  }
  return entry;
}

/** Where the list of members lies. */
async function findList(source: ByteSource): Promise<{ start: number; size: number; entries: number }> {
  const { name, size: fileBytes } = source;
  const tail = Math.min(fileBytes, END_BYTES + LONGEST_COMMENT);
  const bytes = await source.read(fileBytes - tail, tail);
  const view = viewOf(bytes);
  let at = tail - END_BYTES;
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0) throw damaged(name, "a zip archive must end with its list of members", "none");
  const found = {
    entries: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
  };
  const isZip64 = found.entries === 0xffff || found.size === IN_ZIP64 || found.start === IN_ZIP64;
  if (!isZip64 || at < 20 || view.getUint32(at - 20, true) !== LOCATOR64) return found;
  const record = viewOf(await source.read(Number(view.getBigUint64(at - 20 + 8, true)), 56));
  if (record.getUint32(0, true) !== END64) throw damaged(name, "the ZIP64 record must be there", "none");
  const [entries, size, start] = [32, 40, 48].map((field) => Number(record.getBigUint64(field, true)));
  return { entries: entries!, size: size!, start: start! };
}

function memberOf(
  source: ByteSource,
  name: string,
  { method, flags, packed, size, local }: Entry,
): ZipMember {
  const refuse = (rule: string, got: unknown) => damaged(source.name, rule, got);
  /** Where the bytes begin: the local header has a name and fields of its own length. */
  const begin = async () => {
    const header = viewOf(await source.read(local, 30));
    if (header.getUint32(0, true) !== LOCAL) throw refuse(`"${name}" must begin with a local header`, local);
    const start = local + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    if (start + packed > source.size) throw refuse(`"${name}" must end within the file`, start + packed);
    return start;
  };
  return {
    name,
    size,
    isStored: method === STORED,
    async read(offset = 0, length = size - offset) {
      if (flags & 1)
        throw unsupported(source.name, "members must not be encrypted", name, "decrypt the file");
      if (offset < 0 || length < 0 || offset + length > size)
        throw refuse(`"${name}" must have ${length} bytes at ${offset}`, `${size} bytes`);
      if (method === STORED) {
        if (packed !== size)
          throw refuse(`"${name}" must be as long packed as unpacked`, `${packed} and ${size}`);
        return source.read((await begin()) + offset, length);
      }
      if (method !== DEFLATED)
        throw unsupported(
          source.name,
          "members must be stored or deflated",
          `method ${method}`,
          "save it again",
        );
      if (size > MOST_UNPACKED) throw refuse(`"${name}" must unpack to at most ${MOST_UNPACKED} bytes`, size);
      const bytes = await source.read(await begin(), packed);
      let unpacked: Uint8Array;
      try {
        // The buffer is as long as the list says: an archive that would unpack to more fills it and no more.
        unpacked = inflateSync(bytes, { out: new Uint8Array(size) });
      } catch (error) {
        throw refuse(`"${name}" must be deflated`, (error as Error).message);
      }
      if (unpacked.length !== size) throw refuse(`"${name}" must unpack to ${size} bytes`, unpacked.length);
      return unpacked.subarray(offset, offset + length);
    },
  };
}
