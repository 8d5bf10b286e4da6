import { type GatesOptions, gates } from "../../viz/index.ts";
import type { Forecast } from "./forecaster.ts";

/**
 * How much of each input was read, as a bar, the largest first.
 *
 * @returns an SVG document
 */
export function drawInputs({ inputs, target }: Forecast, options: GatesOptions = {}): string {
  const title = `What the forecast of ${target} reads`;
  const data = { gate: inputs.map(({ weight }) => weight), names: inputs.map(({ name }) => name) };
  return gates(data, { title, ...options });
}
