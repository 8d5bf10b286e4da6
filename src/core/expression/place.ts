/** Where in the user's program an error was made: the first line of its stack outside the files of expressions. */

/** Files of this folder, and the one that they are bundled into. */
const OWN = import.meta.url.replace(/[^/]*$/, "");
const isBundled = !/\/expression\/$/.test(OWN);

/** The stack's lines as `file:line:column`, the innermost first. */
function placesOf(stack: string): string[] {
  return stack
    .split("\n")
    .flatMap((line) => /((?:[a-z]+:\/\/|\/|[A-Z]:\\)[^\s()]*:\d+:\d+)\)?$/.exec(line)?.[1] ?? []);
}

/** `file:line:column`, or undefined where the engine tells no stack. */
export function placeOf({ stack }: Error): string | undefined {
  const places = placesOf(stack ?? "");
  const self = import.meta.url.replace(/^file:\/\//, "");
  const isOwn = (place: string) =>
    isBundled ? place.includes(self) : place.includes(OWN.replace(/^file:\/\//, ""));
  return places.find((place) => !isOwn(place))?.replace(/^file:\/\//, "");
}
