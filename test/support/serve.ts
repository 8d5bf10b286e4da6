import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** What makes a page cross-origin isolated, which gives it SharedArrayBuffer. */
export const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Serves a folder on a free port of this machine; `mounts` are other folders below addresses, as "/weights/". */
export async function serve(
  folder: string,
  headers: Record<string, string> = {},
  mounts: Record<string, string> = {},
): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const name = new URL(request.url!, "http://localhost").pathname;
    const mount = Object.keys(mounts).find((prefix) => name.startsWith(prefix));
    const [base, rest] = mount ? [mounts[mount]!, name.slice(mount.length)] : [folder, name];
    const file = path.join(base, rest === "/" ? "index.html" : path.normalize(rest));
    try {
      const body = readFileSync(file);
      response.writeHead(200, {
        ...headers,
        "Content-Length": body.length,
        "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream",
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
