/**
 * Cuts a line that is longer than the model has seen into parts it can translate: at sentence ends first, then at
 * commas and the like, then between words. Parts join with single spaces to the line.
 *
 * @param fits says whether a part is short enough
 *
 * @example
 * splitLine("One. Two. Three.", (part) => part.length <= 10); // ["One. Two.", "Three."]
 */
export function splitLine(line: string, fits: (part: string) => boolean): string[] {
  return splitAt(line, fits, BREAKS);
}

/** Where to cut, the best places first. */
const BREAKS = [/(?<=[.!?…]["'»”)\]]*) /u, /(?<=[,;:]) /u, / /u];

function splitAt(line: string, fits: (part: string) => boolean, [pattern, ...finer]: RegExp[]): string[] {
  if (fits(line) || !pattern) return [line];
  const parts: string[] = [];
  let part = "";
  for (const chunk of line.split(pattern)) {
    const longer = part ? `${part} ${chunk}` : chunk;
    if (part && !fits(longer)) {
      parts.push(part);
      part = chunk;
    } else part = longer;
  }
  parts.push(part);
  return parts.flatMap((one) => splitAt(one, fits, finer));
}
