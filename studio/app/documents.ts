import { type ByteSource, blobBytes, checkRange } from "../../src/checkpoints/bytes.ts";
import { DataError } from "../../src/core/errors.ts";
import { importTrace } from "../../src/inspect/import/import.ts";
import type { Trace } from "../../src/inspect/trace/trace.ts";

/** A trace that can be shown: by its id in links, and by its title in lists. */
export interface StudioDocument {
  readonly id: string;
  readonly title: string;
  readonly about?: string;
  /** Where it comes from, in the list. */
  readonly group: "Shipped" | "Opened" | "Live";
  /** Of the file that it is. */
  readonly bytes?: number;
  /** @throws DataError · TypeError where the network does not answer */
  read(): Promise<Trace>;
}

/** A file that was named on the command line, or dropped: read in parts, or whole. */
export interface NamedFile extends ByteSource {
  blob(): Promise<Blob>;
}

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly about: string;
}

/** The largest trace that is read: a browser keeps it whole, several times while it is read. */
export const MOST_TRACE_BYTES = 2 ** 30;

/** The traces that ship with the studio, as `traces/traces.json` lists them. */
export async function shippedDocuments(base: string): Promise<StudioDocument[]> {
  const list = (await (await answered(new URL("traces.json", base).href)).json()) as readonly Listed[];
  return list.map(({ id, title, about }) => ({
    ...{ id, title, about, group: "Shipped" },
    read: async () => {
      const response = await answered(new URL(`${id}.attn`, base).href);
      return importTrace(new Uint8Array(await response.arrayBuffer()), title);
    },
  }));
}

/** A file as a document. It is read when it is shown. */
export function fileDocument(file: NamedFile, id: string): StudioDocument {
  return {
    ...{ id, title: file.name, group: "Opened", bytes: file.size },
    read: async () => {
      if (file.size > MOST_TRACE_BYTES) throw tooLarge(file);
      const bytes = new Uint8Array(await (await file.blob()).arrayBuffer());
      return importTrace(bytes, file.name);
    },
  };
}

/** A trace that is there already. */
export const traceDocument = (trace: Trace, id: string, title: string): StudioDocument => ({
  ...{ id, title, group: "Live" },
  read: async () => trace,
});

function tooLarge({ name, size }: NamedFile): DataError<"LIMIT"> {
  return new DataError("LIMIT", {
    op: "studio",
    rule: `${name} must have at most ${inGigabytes(MOST_TRACE_BYTES)} to be read in a page`,
    got: inGigabytes(size),
    remedy: "save fewer layers, or q, k and lse in place of the maps",
    place: name,
  });
}

const inGigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** What an address answers with. @throws DataError FORMAT · TypeError where nothing answers */
export async function answered(address: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(address, { headers });
  if (response.ok) return response;
  throw new DataError("FORMAT", {
    op: "studio",
    rule: `${address} must answer`,
    got: `${response.status} ${response.statusText}`.trim(),
    remedy: "start the studio again, or load the page anew",
  });
}

interface OpenedPlace {
  readonly name: string;
  readonly files: readonly { readonly name: string; readonly address: string; readonly bytes: number }[];
}

/** What the command line of `heed studio` named, a list of files for each place. */
export async function openedPlaces(base: string): Promise<{ name: string; files: NamedFile[] }[]> {
  const places = (await (await answered(new URL("api/opened", base).href)).json()) as readonly OpenedPlace[];
  return places.map(({ name, files }) => ({
    name,
    files: files.map((file) => servedFile(new URL(file.address, base).href, file.name, file.bytes)),
  }));
}

/** A file that the reader gave to the page. */
export const givenFile = (file: File): NamedFile => ({ ...blobBytes(file), blob: async () => file });

/** A file of the server, of which only what is asked for is sent. */
function servedFile(address: string, name: string, size: number): NamedFile {
  return {
    ...{ name, size },
    async read(offset, length) {
      checkRange({ name, size }, offset, length);
      if (length === 0) return new Uint8Array();
      const response = await answered(address, { Range: `bytes=${offset}-${offset + length - 1}` });
      return new Uint8Array(await response.arrayBuffer());
    },
    blob: async () => (await answered(address)).blob(),
    async close() {},
  };
}
