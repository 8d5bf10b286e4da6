/**
 * One file by HTTP, whole or not at all: its length and checksum are known beforehand, a cut line is resumed at its
 * byte (RFC 9110 §14, `Range`, with `If-Range` where the server gave an `ETag`), and bytes that fail the checksum are
 * removed.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { DownloadError } from "../core/errors.ts";
import { type Checksum, checksumOf, checksumTitle, digitsOf } from "./checksum.ts";
import { bytesIn } from "./part.ts";
import {
  checkAddress,
  ELSEWHERE,
  OP,
  type RequestOptions,
  Retry,
  refusedStatus,
  request,
} from "./request.ts";
import { type RetryOptions, withRetries } from "./retries.ts";

export interface DownloadProgress {
  readonly received: number;
  readonly total: number;
}

/** How a file is downloaded, whichever it is. */
export interface LineOptions extends RequestOptions, RetryOptions {
  readonly onProgress?: (progress: DownloadProgress) => void;
}

export type DownloadOptions = LineOptions & Checksum & { readonly url: string; readonly bytes: number };

const CONTENT_RANGE = /^bytes (\d+)-\d+\/(\d+)$/;
const LFS_POINTER = "version https://git-lfs.github.com/spec/";
/** More than a pointer of Git LFS has. */
const MOST_POINTER = 1024;

/** A download under way: the part file and what the server said of it. */
class Download {
  readonly #path: string;
  readonly #options: DownloadOptions;
  #etag: string | null = null;

  constructor(path: string, options: DownloadOptions) {
    this.#path = path;
    this.#options = options;
  }

  get received(): number {
    return bytesIn(this.#path);
  }

  /** Asks for the missing bytes and writes what comes. */
  async request(): Promise<void> {
    await request(this.#options.url, this.#headers(), this.#options, async (response, onBytes) => {
      const from = await this.#accept(response);
      await this.#write(response, from, onBytes);
    });
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }

  #headers(): Record<string, string> {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    const from = this.received;
    if (from === 0) return headers;
    headers.range = `bytes=${from}-`;
    // A weak tag may not be used to join bytes (RFC 9110 §13.1.5).
    if (this.#etag?.startsWith('"')) headers["if-range"] = this.#etag;
    return headers;
  }

  /** The byte at which this answer begins; removes the part when the server begins again. */
  async #accept(response: Response): Promise<number> {
    const { url, bytes } = this.#options;
    const refuse = async (error: unknown): Promise<never> => {
      if (!response.bodyUsed) await response.body?.cancel();
      throw error;
    };
    this.#etag = response.headers.get("etag");
    const have = this.received;
    if (response.status === 206) {
      const [, from, total] = CONTENT_RANGE.exec(response.headers.get("content-range") ?? "") ?? [];
      if (Number(from) === have && Number(total) === bytes) return have;
      this.remove();
      await refuse(new Retry("other bytes than asked for"));
    }
    if (response.status === 416) {
      this.remove();
      await refuse(new Retry("no such bytes"));
    }
    if (response.status !== 200) await refuse(refusedStatus(url, response, this.#options));
    const length = response.headers.get("content-length");
    if (length !== null && Number(length) !== bytes) {
      const isPointer = Number(length) <= MOST_POINTER && (await response.text()).startsWith(LFS_POINTER);
      await refuse(this.#other(isPointer ? POINTER : `${Number(length)}`));
    }
    this.remove();
    return 0;
  }

  async #write(response: Response, from: number, onBytes: (bytes: number) => void): Promise<void> {
    const { bytes, onProgress } = this.#options;
    const file = await open(this.#path, "a");
    let received = from;
    try {
      onProgress?.({ received, total: bytes });
      for await (const chunk of response.body ?? []) {
        onBytes(chunk.byteLength);
        await file.appendFile(chunk);
        received += chunk.byteLength;
        onProgress?.({ received: Math.min(received, bytes), total: bytes });
        if (received > bytes) break;
      }
    } finally {
      await file.close();
    }
    if (received === bytes) return;
    const isPointer = received <= MOST_POINTER && readFileSync(this.#path, "latin1").startsWith(LFS_POINTER);
    if (received > bytes || isPointer) {
      this.remove();
      throw this.#other(isPointer ? POINTER : `${received}`);
    }
    throw new Retry(`the line was cut at byte ${received}`);
  }

  #other(got: string): DownloadError<"MISMATCH"> {
    const { url, bytes, elsewhere = ELSEWHERE } = this.#options;
    return new DownloadError("MISMATCH", {
      op: OP,
      rule: `the file must have ${bytes} bytes`,
      got: `${got} from ${url}, and none of them was kept`,
      remedy: `that address serves another file, ${elsewhere}`,
      url,
    });
  }
}

const POINTER = "a pointer of Git LFS";

/**
 * Downloads to `path`, going on from the bytes that are there, until length and checksum are right.
 *
 * @throws DownloadError DOWNLOAD (what came is kept), MISMATCH for another length or checksum (the file is removed)
 */
export async function download(path: string, options: DownloadOptions): Promise<void> {
  const { url, bytes, elsewhere = ELSEWHERE } = options;
  checkAddress(url, options);
  const state = new Download(path, options);
  const wanted = {
    url,
    what: `all ${bytes} bytes`,
    got: () => `${state.received}`,
    again: "it goes on from there",
    details: () => ({ received: state.received, bytes }),
  };
  // Bytes of an earlier run or request may be of another version of the file, so they get a fresh start, once.
  let resumed = false;
  await withRetries(wanted, options, async () => {
    for (;;) {
      const before = state.received;
      resumed ||= before > 0;
      if (before !== bytes || !existsSync(path)) await state.request();
      const got = await checksumOf(path, options);
      if (got === digitsOf(options)) return;
      state.remove();
      if (!resumed) {
        throw new DownloadError("MISMATCH", {
          op: OP,
          rule: `the file must have ${checksumTitle(options)}`,
          got: `${got} from ${url}, so it was removed`,
          remedy: `try again, or ${elsewhere}`,
          url,
        });
      }
      resumed = false;
    }
  });
}
