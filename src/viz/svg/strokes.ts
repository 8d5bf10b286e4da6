/** Lines of boxes: told apart by every kind of colour vision, and by their dashes; the first is the article's green. */
const STROKES = [
  ["#00c853", ""],
  ["#ff9100", "8 4"],
  ["#40c4ff", "2 4"],
  ["#ea80fc", "10 3 2 3"],
] as const;

/** The line of box n: from the fifth on they come again. */
export function strokeOf(n: number): { stroke: string; "stroke-dasharray"?: string } {
  const [stroke, dash] = STROKES[n % STROKES.length]!;
  return { stroke, ...(dash && { "stroke-dasharray": dash }) };
}
