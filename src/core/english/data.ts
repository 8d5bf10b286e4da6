/** Messages of data sets, text and vocabulary. */
export const dataMessages = {
  UNREADABLE: (d: { op: string; path: string; reason: string }) =>
    `${d.op}: the file must be readable, got ${d.reason} for ${d.path}; check the path and its permissions`,
  BAD_GZIP: (d: { op: string; path: string; bytes: number }) =>
    `${d.op}: a file that begins as gzip must unpack to its end, got ${d.path} of ${d.bytes} bytes, cut off or ` +
    `damaged; fetch it again`,
  NOT_UTF8: (d: { op: string; path: string }) =>
    `${d.op}: text must be UTF-8, got other bytes in ${d.path}; convert it, for instance with iconv -t UTF-8`,
  ROW_COLUMNS: (d: { op: string; path: string; line: number; got: number }) =>
    `${d.op}: a row must have 2 columns, source<TAB>target, got ${d.got} in ${d.path} at line ${d.line}; ` +
    `correct or remove that line`,
  BPE_OPTION: (d: { op: string; rule: string; got: number }) =>
    `${d.op}: ${d.rule}, got ${d.got}; choose one in that range`,
  BPE_TOO_SMALL: (d: { op: string; vocabularySize: number; least: number }) =>
    `${d.op}: vocabularySize must hold the special pieces and the alphabet, ${d.least}, got ${d.vocabularySize}; ` +
    `raise it or lower characterCoverage`,
  BPE_FORMAT: (d: { op: string; rule: string; got: string }) =>
    `${d.op}: ${d.rule}, got ${JSON.stringify(d.got)}; train the encoding again with trainBpe`,
  TOKEN_ID: (d: { op: string; size: number; got: number }) =>
    `${d.op}: an id must be an integer from 0 to ${d.size - 1}, got ${d.got}; decode with the encoding that made it`,
  BATCH_OPTION: (d: { op: string; rule: string; got: number }) =>
    `${d.op}: ${d.rule}, got ${d.got}; choose one in that range`,
  BATCH_ROOM: (d: { op: string; maxTokens: number; index: number; tokens: number }) =>
    `${d.op}: maxTokens must hold every pair, got ${d.maxTokens} and pair ${d.index} of ${d.tokens} tokens; raise it ` +
    `or leave out long pairs`,
};
