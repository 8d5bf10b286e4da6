/** Lets the package `webgpu` find SwiftShader, the software device that Chromium brings along, where there is no GPU. */
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";

/** Folders that may hold Chromium's loader of Vulkan and its SwiftShader. */
const FOLDERS = [
  process.env.SWIFTSHADER_PATH,
  "/usr/lib/chromium",
  "/usr/lib/chromium-browser",
  "/opt/google/chrome",
];

/** Keeps a library that was loaded although it is no addon of Node: RTLD_NOW and RTLD_NODELETE of Linux. */
const KEEP = 0x1002;

/**
 * Answers why there is no SwiftShader, or nothing. The loader is loaded by its path, since the search path for libraries is
 * read when a process starts.
 *
 * @returns {string | undefined}
 */
export function prepareSwiftShader() {
  const folder = FOLDERS.find((name) => name && existsSync(path.join(name, "vk_swiftshader_icd.json")));
  if (!folder) return "no SwiftShader found; install chromium, or set SWIFTSHADER_PATH to its folder";
  process.env.VK_ICD_FILENAMES ??= path.join(folder, "vk_swiftshader_icd.json");
  const loader = path.join(folder, "libvulkan.so.1");
  if (process.platform !== "linux" || !existsSync(loader)) return undefined;
  try {
    process.dlopen({ exports: {} }, loader, KEEP);
  } catch {
    // It registers no addon, and stays loaded.
  }
  return undefined;
}
