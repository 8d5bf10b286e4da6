import { type ByteSource, damaged } from "./bytes.ts";
import type { LoadedHdf5 } from "./hdf5-library.ts";

const PAGE_BYTES = 2 ** 14;
/** More pages than these are let go of once a question is answered. */
const MOST_PAGES = 512;
/** The operating system's "input/output error". */
const EIO = 29;
let files = 0;

/**
 * A file as the HDF5 library sees it, of which only some pages are in memory. The library reads at once or not at all, a source
 * when it can: where a page is not there, reading fails, the page is fetched, and the library is asked again.
 */
export class PagedFile {
  readonly #library: LoadedHdf5;
  readonly #source: ByteSource;
  readonly #path: string;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #missing = new Set<number>();
  #close: (() => void) | undefined;
  #id = -1n;
  #isReleased = false;
  #waiting: Promise<unknown> = Promise.resolve();

  private constructor(library: LoadedHdf5, source: ByteSource) {
    this.#library = library;
    this.#source = source;
    this.#path = `/heed-${files++}.h5`;
  }

  /** @throws DataError DAMAGED */
  static async open(library: LoadedHdf5, source: ByteSource): Promise<PagedFile> {
    const file = new PagedFile(library, source);
    const { FS } = library.module;
    FS.writeFile(file.#path, new Uint8Array(0));
    const { node } = FS.lookupPath(file.#path);
    node.usedBytes = source.size;
    node.stream_ops = {
      ...node.stream_ops,
      read: (_stream: unknown, into: Int8Array, at: number, length: number, position: number) =>
        file.#read(into, at, length, position),
    };
    try {
      const opened = await file.ask(() => {
        const one = new library.File(file.#path, "r");
        if (one.file_id < 0n) throw new Error("no HDF5 file");
        return one;
      });
      file.#id = opened.file_id;
      file.#close = () => opened.close();
      return file;
    } catch (error) {
      file.release();
      throw error;
    }
  }

  /** What the library answers, once all pages that it wants are there. One question at a time. */
  ask<T>(question: (file: bigint) => T): Promise<T> {
    const answer = this.#waiting.then(() => this.#answer(question));
    this.#waiting = answer.catch(() => undefined);
    return answer;
  }

  async #answer<T>(question: (file: bigint) => T): Promise<T> {
    for (;;) {
      this.#missing.clear();
      let answer: { value: T } | { fault: unknown };
      try {
        answer = { value: question(this.#id) };
      } catch (fault) {
        answer = { fault };
      }
      if (this.#missing.size > 0) {
        await this.#fetch();
        continue;
      }
      if (this.#pages.size > MOST_PAGES) this.#pages.clear();
      if ("value" in answer) return answer.value;
      const reason = answer.fault instanceof Error ? answer.fault.message : String(answer.fault);
      throw damaged(this.#source.name, "an HDF5 file must be whole", reason);
    }
  }

  /** Neighbours come in one piece. */
  async #fetch(): Promise<void> {
    const wanted = [...this.#missing].sort((a, b) => a - b);
    for (let from = 0; from < wanted.length; ) {
      let to = from + 1;
      while (to < wanted.length && wanted[to] === wanted[to - 1]! + 1) to++;
      const start = wanted[from]! * PAGE_BYTES;
      const end = Math.min((wanted[to - 1]! + 1) * PAGE_BYTES, this.#source.size);
      const bytes = await this.#source.read(start, end - start);
      for (let n = from; n < to; n++) {
        const at = (n - from) * PAGE_BYTES;
        this.#pages.set(wanted[n]!, bytes.subarray(at, at + PAGE_BYTES));
      }
      from = to;
    }
  }

  #read(into: Int8Array, at: number, length: number, position: number): number {
    const end = Math.min(position + length, this.#source.size);
    if (end <= position) return 0;
    let isWhole = true;
    for (let page = Math.floor(position / PAGE_BYTES); page * PAGE_BYTES < end; page++) {
      const bytes = this.#pages.get(page);
      if (!bytes) {
        this.#missing.add(page);
        isWhole = false;
      } else if (isWhole) {
        const [start, stop] = [Math.max(position, page * PAGE_BYTES), Math.min(end, (page + 1) * PAGE_BYTES)];
        into.set(bytes.subarray(start - page * PAGE_BYTES, stop - page * PAGE_BYTES), at + start - position);
      }
    }
    if (!isWhole) throw new this.#library.module.FS.ErrnoError(EIO);
    return end - position;
  }

  /** Lets go of all but the source. */
  release(): void {
    const { FS } = this.#library.module;
    this.#close?.();
    this.#close = undefined;
    this.#pages.clear();
    // The library keeps a damaged file open, where it stumbled over one of its groups.
    for (const stream of FS.streams) if (stream?.path === this.#path) FS.close(stream);
    if (!this.#isReleased) FS.unlink(this.#path);
    this.#isReleased = true;
  }

  async close(): Promise<void> {
    await this.#waiting;
    this.release();
    await this.#source.close();
  }
}
