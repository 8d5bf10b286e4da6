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
  DATASET_NAME: (d: { op: string; known: readonly string[]; got: string }) =>
    `${d.op}: name must be one of ${d.known.join(", ")}, got ${JSON.stringify(d.got)}; ` +
    `"heed data list" says what there is`,
  DATASET_MISSING: (d: { op: string; name: string; places: readonly string[] }) =>
    `${d.op}: ${d.name} must be in a folder with train.tsv.gz, valid.tsv.gz and test.tsv.gz, got none in ` +
    `${d.places.join(" or ")}; run "heed data fetch ${d.name}"`,
  SPLIT_CHECKSUM: (d: {
    op: string;
    name: string;
    split: string;
    rows: number;
    sha256: string;
    gotRows: number;
    got: string;
  }) =>
    `${d.op}: the ${d.split} rows of ${d.name} must be ${d.rows} with sha256 ${d.sha256} (sorted), got ${d.gotRows} ` +
    `with ${d.got}; remove that folder and run "heed data fetch ${d.name}"`,
  ARCHIVE_MEMBER: (d: { op: string; name: string; member: string }) =>
    `${d.op}: the archive of ${d.name} must contain ${d.member}, got none of that name; please report this`,
  UNWRITABLE: (d: { op: string; path: string; reason: string }) =>
    `${d.op}: the cache must be writable, got ${d.reason} for ${d.path}; free space, mend its permissions, or choose ` +
    `another folder with --dir or XDG_CACHE_HOME`,
  DOWNLOAD_STATUS: (d: { op: string; url: string; status: number }) =>
    `${d.op}: the server must answer 200 or 206, got ${d.status} for ${d.url}; try later, or name a mirror with --url`,
  DOWNLOAD_LENGTH: (d: { op: string; url: string; bytes: number; got: number }) =>
    `${d.op}: the file must have ${d.bytes} bytes, got ${d.got} from ${d.url}, and none of them was kept; ` +
    `that address serves another file, name a mirror with --url`,
  DOWNLOAD_CHECKSUM: (d: { op: string; url: string; sha256: string; got: string }) =>
    `${d.op}: the file must have sha256 ${d.sha256}, got ${d.got} from ${d.url}, so it was removed; try again, or ` +
    `name a mirror with --url`,
  DOWNLOAD_CUT: (d: {
    op: string;
    url: string;
    received: number;
    bytes: number;
    attempts: number;
    reason: string;
  }) =>
    `${d.op}: ${d.attempts} requests must bring all ${d.bytes} bytes, got ${d.received} from ${d.url} (the last: ` +
    `${d.reason}); check the network and run the same command, it goes on from there`,
  DOWNLOAD_STOPPED: (d: { op: string; url: string; received: number; bytes: number }) =>
    `${d.op}: all ${d.bytes} bytes must come, got ${d.received} from ${d.url} before it was stopped; run the same ` +
    `command, it goes on from there`,
};
