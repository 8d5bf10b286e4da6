/** Lines of text that arrived together, with the numbers of those whose bytes were not UTF-8. */
export interface LineBatch {
  lines: string[];
  /** 1-based line numbers in the whole input. */
  broken: number[];
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Cuts a stream of bytes into batches of at most `size` lines. A batch is handed on as soon as the bytes that
 * have arrived are used up, so a person who types, or `tail -f`, is answered line by line, and a file in full
 * batches.
 *
 * A line ends with LF or CRLF; the last one may end with the input. Bytes that are not UTF-8 become U+FFFD,
 * line by line: one broken line does not spoil its neighbours. A byte-order mark at the very start is dropped.
 */
export async function* lineBatches(
  input: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<LineBatch> {
  let rest: Uint8Array[] = [];
  let batch: LineBatch = { lines: [], broken: [] };
  let count = 0;
  const push = (parts: Uint8Array[]) => {
    count++;
    const { text, broken } = decodeLine(parts, count === 1);
    batch.lines.push(text);
    if (broken) batch.broken.push(count);
  };
  const take = () => {
    const full = batch;
    batch = { lines: [], broken: [] };
    return full;
  };
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      push([...rest, chunk.subarray(from, end)]);
      rest = [];
      from = end + 1;
      if (batch.lines.length === size) yield take();
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    if (batch.lines.length > 0) yield take();
  }
  if (rest.length > 0) {
    push(rest);
    yield take();
  }
}

/** Cuts the words of a command line into lines: each argument is a sentence, or several with line ends between. */
export function argumentLines(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split(/\r?\n/));
}

function decodeLine(parts: Uint8Array[], first: boolean): { text: string; broken: boolean } {
  let bytes: Uint8Array = Buffer.concat(parts);
  if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
  const ignoreBOM = !first;
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM }).decode(bytes), broken: false };
  } catch {
    return { text: new TextDecoder("utf-8", { ignoreBOM }).decode(bytes), broken: true };
  }
}
