import { type FileHandle, open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { rangeOf } from "./byte-range.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".png": "image/png",
};
const OTHER = "application/octet-stream";
const YEAR_S = 31_536_000;
/** Files of the build with their contents' hash in their name. */
const HASHED = /-[\w-]{8}\.\w+$/;
/** Larger files are sent as they are. */
const MOST_PACKED = 4_000_000;
const pack = promisify(gzip);

/** Sends a file, or what a request asks for of it; `immutable` says that its address will never mean another. */
export async function answerFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: string,
): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(file);
  } catch {
    return refuse(response, 404, "There is no such file.");
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return refuse(response, 404, "There is no such file.");
    const type = TYPES[path.extname(file).toLowerCase()] ?? OTHER;
    const isHashed = path.basename(path.dirname(file)) === "assets" && HASHED.test(file);
    const etag = `"${stat.size.toString(36)}-${Math.trunc(stat.mtimeMs).toString(36)}"`;
    response.setHeader("Content-Type", type);
    response.setHeader("ETag", etag);
    response.setHeader("Cache-Control", isHashed ? `public, max-age=${YEAR_S}, immutable` : "no-cache");
    response.setHeader("Accept-Ranges", "bytes");
    response.setHeader("Vary", "Accept-Encoding");
    if (request.headers["if-none-match"]?.split(/,\s*/).includes(etag)) return end(response, 304);
    const { range } = request.headers;
    const ifRange = request.headers["if-range"];
    const asked = ifRange === undefined || ifRange === etag ? rangeOf(range, stat.size) : undefined;
    if (asked === "none") {
      response.setHeader("Content-Range", `bytes */${stat.size}`);
      return refuse(response, 416, "The file has no such bytes.");
    }
    const isText = type.includes("charset") || type.includes("svg");
    const takes = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    if (!asked && isText && takes && stat.size <= MOST_PACKED) {
      const body = await pack(await handle.readFile());
      response.setHeader("Content-Encoding", "gzip");
      response.setHeader("Content-Length", body.length);
      return end(response, 200, request.method === "HEAD" ? undefined : body);
    }
    const [start, last] = asked ?? [0, stat.size - 1];
    if (asked) response.setHeader("Content-Range", `bytes ${start}-${last}/${stat.size}`);
    response.setHeader("Content-Length", last - start + 1);
    response.statusCode = asked ? 206 : 200;
    if (request.method === "HEAD" || last < start) return end(response, response.statusCode);
    // A reader that leaves in the middle is no error.
    await pipeline(handle.createReadStream({ start, end: last, autoClose: false }), response).catch(() => {});
  } finally {
    await handle.close();
  }
}

export function end(response: ServerResponse, status: number, body?: Uint8Array): void {
  response.statusCode = status;
  response.end(body);
}

/** Says why there is no answer, as text. */
export function refuse(response: ServerResponse, status: number, why: string): void {
  response.setHeader("Content-Type", TYPES[".txt"]!);
  response.setHeader("Cache-Control", "no-store");
  end(response, status, new TextEncoder().encode(`${why}\n`));
}
