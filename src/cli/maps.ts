import type { Trace } from "../inspect/index.ts";
import type { DrawOptions } from "../views/index.ts";

/** Maps of so many weights are worth the tenth of a second in which the kernels are compiled. */
const MANY = 2 ** 21;

/** What recomputes a trace's maps: the kernels where a layer is large, plain loops elsewhere. */
export async function mapsOf({ layers }: Trace): Promise<Pick<DrawOptions, "computer">> {
  if (!layers.some(({ q, T, S }) => q && T * S >= MANY)) return {};
  const [{ init }, { kernelMaps }] = await Promise.all([
    import("../kernels/init.ts"),
    import("../capture/kernel-maps.ts"),
  ]);
  await init({ threads: 1 });
  return { computer: kernelMaps };
}
