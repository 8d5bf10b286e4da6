const UNITS = ["B", "kB", "MB", "GB"] as const;
const STEP = 1000;

/**
 * A number of bytes as people say it: 512 B, 4.5 kB, 1.2 GB. Small parts of a file are as common here as whole models, so
 * that the unit follows the number.
 */
export function sizeText(bytes: number): string {
  let power = 0;
  let value = bytes;
  while (value >= STEP && power < UNITS.length - 1) {
    value /= STEP;
    power++;
  }
  const digits = power === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[power]}`;
}
