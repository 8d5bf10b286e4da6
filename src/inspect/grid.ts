import type { ImageGrid, TraceInput } from "./trace/trace.ts";

/** How many keys an image's grid stands for: its patches, and the tokens that are none. */
export const keysOfGrid = ({ height, width, cls }: ImageGrid): number => height * width + cls;

/** Whether S keys are the patches of the trace's image. */
export function looksAtImage({ image, grid }: Pick<TraceInput, "image" | "grid">, S: number): boolean {
  return image !== undefined && grid !== undefined && S === keysOfGrid(grid);
}
