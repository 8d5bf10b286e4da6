/** What steers a terminal or hides text: control characters, changes of direction, lone surrogates, odd line ends. */
const STEERING = /(?![\n\t])[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/**
 * Text of a file inside a message, where it must not steer whoever prints it: what it names becomes an escape such as
 * `\u202e`. Line ends and tabs stay. Every `HeedError` passes its message through here.
 *
 * @example
 * escapeControls("\u009b31m"); // "\\u009b31m"
 */
export function escapeControls(text: string): string {
  return text.replace(
    STEERING,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}
