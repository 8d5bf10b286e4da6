import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** The first byte that a request asks for. */
export const firstByte = (request: IncomingMessage): number =>
  Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);

export interface ServeOptions {
  /** Cuts the line after this many bytes of the answer. */
  readonly cutAfter?: number;
  readonly etag?: string;
  readonly ignoreRange?: boolean;
  /** Replaces the true content-length. */
  readonly contentLength?: number;
}

/** A well-behaved answer with this content, but for the options. */
export function serve(content: Uint8Array, options: ServeOptions = {}): Answer {
  return (request, response) => {
    const ifRange = request.headers["if-range"];
    const resumes =
      request.headers.range !== undefined &&
      !options.ignoreRange &&
      (ifRange === undefined || ifRange === options.etag);
    const from = resumes ? firstByte(request) : 0;
    if (resumes && from >= content.length) return status(416)(request, response);
    const body = content.subarray(from);
    response.statusCode = resumes ? 206 : 200;
    if (resumes) response.setHeader("content-range", `bytes ${from}-${content.length - 1}/${content.length}`);
    if (options.etag !== undefined) response.setHeader("etag", options.etag);
    response.setHeader("content-length", options.contentLength ?? body.length);
    if (options.cutAfter === undefined) return void response.end(body);
    // Long enough for a busy reader to take what came: a cut throws away what it has not read yet.
    response.write(body.subarray(0, options.cutAfter), () => setTimeout(() => response.destroy(), 400));
  };
}

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => void response.writeHead(code, headers).end("no");
}

/**
 * A server on 127.0.0.1 that gives its answers one by one, the last one again and again; it closes with the test.
 * `requests` are the ranges asked for, in order.
 */
export const fileServer = (...answers: Answer[]) => fileServerUntil(onTestFinished, ...answers);

/** The same for tests that run at once: each hands in its own `onTestFinished`. */
export async function fileServerUntil(
  onFinished: (close: () => void) => void,
  ...answers: Answer[]
): Promise<{ url: string; requests: (string | undefined)[] }> {
  const requests: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)]!;
    requests.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.zip`, requests };
}
