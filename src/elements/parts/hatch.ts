import type { Colors } from "../../viz/svg/theme.ts";
import { offscreen } from "./place.ts";

/** Grey stripes: a key that is hidden from its query, which is something else than a weight of 0. */
export function hatch(context: CanvasRenderingContext2D, colors: Colors, scale: number): CanvasPattern {
  const side = Math.round(8 * scale);
  const tile = offscreen(side, side);
  tile.fillStyle = colors.maskedFill;
  tile.fillRect(0, 0, side, side);
  tile.strokeStyle = colors.maskedLine;
  tile.lineWidth = scale;
  tile.beginPath();
  for (const shift of [-side, 0, side]) {
    tile.moveTo(shift - 1, side + 1);
    tile.lineTo(shift + side + 1, -1);
  }
  tile.stroke();
  return context.createPattern(tile.canvas, "repeat")!;
}
