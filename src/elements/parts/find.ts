/**
 * The next token that has the text in it, whatever its case, after `at` and from the start again; −1 where there is none.
 */
export function nextToken(tokens: readonly string[], text: string, at: number): number {
  const wanted = text.toLowerCase();
  for (let n = 1; n <= tokens.length; n++) {
    const place = (at + n) % tokens.length;
    if (tokens[place]!.toLowerCase().includes(wanted)) return place;
  }
  return -1;
}
