/** Mesa's llvmpipe ("lavapipe") as a device of WebGPU: software too, and with what SwiftShader lacks, float16 and subgroups of 8. */
import { existsSync } from "node:fs";
import process from "node:process";

/** Where Mesa says how its driver is loaded. */
const DRIVERS = [
  process.env.LAVAPIPE_ICD,
  "/usr/share/vulkan/icd.d/lvp_icd.json",
  "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
  "/usr/share/vulkan/icd.d/lvp_icd.aarch64.json",
];

/**
 * What adapters come from: they do not keep it alive, and crash without it.
 *
 * @type {GPU | undefined}
 */
let gpu;

/**
 * An adapter of llvmpipe, or why there is none. The drivers of Vulkan that this process uses otherwise stay what they are.
 *
 * @returns {Promise<GPUAdapter | string>}
 */
export async function lavapipeAdapter() {
  const driver = DRIVERS.find((name) => name && existsSync(name));
  if (!driver) {
    return "no lavapipe found; install mesa-vulkan-drivers of Mesa 25, or set LAVAPIPE_ICD to its lvp_icd.json";
  }
  const before = process.env.VK_ICD_FILENAMES;
  process.env.VK_ICD_FILENAMES = driver;
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    gpu = create(["adapter=llvmpipe"]);
    const adapter = await gpu.requestAdapter();
    return adapter ?? `${driver} is no device of WebGPU; Mesa 25 is one, Mesa 22 is too old`;
  } catch (error) {
    return String(error);
  } finally {
    if (before === undefined) delete process.env.VK_ICD_FILENAMES;
    else process.env.VK_ICD_FILENAMES = before;
  }
}
