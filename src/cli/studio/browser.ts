import { spawn } from "node:child_process";

/** The program that opens an address on each system. */
const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

/** Whether there is a screen for a browser. */
export function hasScreen(
  env: Readonly<Record<string, string | undefined>>,
  platform = process.platform,
): boolean {
  if (env.CI) return false;
  return platform !== "linux" || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

/** Opens an address in the reader's browser. Where that fails nothing happens: the address has been printed. */
export function openBrowser(url: string, platform = process.platform): void {
  const [program, ...args] = OPENERS[platform] ?? OPENERS.linux!;
  const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
