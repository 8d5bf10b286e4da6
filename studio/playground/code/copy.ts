/** Puts a text where the reader can paste it; says what happened. */
export async function copied(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied.";
  } catch {
    return "The browser does not let this page copy: select the text instead.";
  }
}
