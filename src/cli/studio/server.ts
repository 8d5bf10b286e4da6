import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerFile, end, refuse } from "./answer.ts";
import { fileAt, type ServedFolder } from "./folders.ts";

const LOOPBACK = "127.0.0.1";
/** How many ports after the first are tried. */
const MOST_TRIED = 20;

/** Where the Hugging Face hub answers, and where it sends those who ask for large files. */
const HUB_HOSTS = ["https://huggingface.co", "https://*.huggingface.co", "https://*.hf.co"];

/**
 * Scripts of the server alone, and WebAssembly; styles of elements; pictures that a page has made. Pages may ask the hub too, which
 * they do when their reader opens a model of it.
 */
const policyOf = (scripts: string, hosts: readonly string[] = []) =>
  [
    "default-src 'none'",
    `script-src ${scripts}`,
    "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    ["connect-src 'self' blob: data:", ...hosts].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

/** A worker has the policy that comes with its own script: RDKit's loader makes functions of text, which no page may. */
const WORKER = /^\/assets\/worker-[\w-]+\.js$/;
const WORKER_POLICY = policyOf("'self' 'wasm-unsafe-eval' 'unsafe-eval'");

/** On every answer. The three of cross-origin isolation give pages shared memory, and with it threads. */
const HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  // Pages can read it of themselves: only here they ask for /api/opened.
  "Server-Timing": "heed-studio",
} as const;

export interface StudioServerOptions {
  readonly folders: readonly ServedFolder[];
  /** What `/api/opened` answers with, as JSON; `/api/hub` tells the hub. */
  readonly opened: unknown;
  /** A hub of models besides huggingface.co: its address. */
  readonly hub?: string | undefined;
  /** The first port that is tried; 0 lets the system choose. */
  readonly port: number;
}

export interface StudioServer {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  readonly port: number;
  /** Ends it, with the connections that are open. */
  close(): Promise<void>;
}

/**
 * Serves folders to pages of this machine, and to no others: on the loopback address, to requests whose Host and Origin
 * are its own (another site's name that leads to this machine is refused), reading alone, nothing outside the folders.
 * Where the port is taken, the next free one of twenty.
 */
export async function startStudioServer(options: StudioServerOptions): Promise<StudioServer> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch(() => {
      if (!response.headersSent) refuse(response, 500, "The studio could not answer.");
      else response.destroy();
    });
  });
  server.headersTimeout = 10_000;
  const { port } = await listen(server, options.port);
  return {
    url: `http://${LOOPBACK}:${port}/`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, first: number): Promise<AddressInfo> {
  for (let port = first; ; port++) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, LOOPBACK, () => {
          server.off("error", reject);
          resolve();
        });
      });
      return server.address() as AddressInfo;
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (!isTaken || port >= first + MOST_TRIED || port >= 65_535) throw error;
    }
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { folders, opened, hub }: StudioServerOptions,
): Promise<void> {
  const hosts = [...new Set([...(hub === undefined ? [] : [new URL(hub).origin]), ...HUB_HOSTS])];
  response.setHeader("Content-Security-Policy", policyOf("'self' 'wasm-unsafe-eval'", hosts));
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  if (!isOwn(request)) return refuse(response, 403, "The studio answers pages of its own address alone.");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return refuse(response, 405, "The studio only reads.");
  }
  const address = request.url ?? "/";
  if (WORKER.test(address)) response.setHeader("Content-Security-Policy", WORKER_POLICY);
  const asked = { "/api/opened": opened, "/api/hub": { endpoint: hub } }[address.split("?")[0]!];
  if (asked !== undefined) {
    response.setHeader("Content-Type", "application/json; charset=utf-8");
    response.setHeader("Cache-Control", "no-store");
    const body = new TextEncoder().encode(JSON.stringify(asked));
    return end(response, 200, request.method === "HEAD" ? undefined : body);
  }
  const file = await fileAt(folders, address);
  return file === undefined
    ? refuse(response, 404, "There is no such file.")
    : answerFile(request, response, file);
}

/** Whether a request names this server, as Host and, where there is one, as Origin. */
function isOwn(request: IncomingMessage): boolean {
  const { port } = request.socket.address() as AddressInfo;
  const names = [LOOPBACK, "localhost", "[::1]"].map((name) => (port === 80 ? name : `${name}:${port}`));
  const { host, origin } = request.headers;
  if (host === undefined || !names.includes(host.toLowerCase())) return false;
  return origin === undefined || names.some((name) => origin === `http://${name}`);
}
