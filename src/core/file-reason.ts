const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "no permission",
  EPERM: "no permission",
  EISDIR: "a folder",
  ENOTDIR: "a file where a folder should be",
  EEXIST: "another file of that name",
  ENOTEMPTY: "a folder that is not empty",
  ENOSPC: "a full disk",
  EDQUOT: "a full quota",
  EROFS: "a file system that is read only",
  EMFILE: "too many open files",
  ENFILE: "too many open files",
  ENAMETOOLONG: "a name that is too long",
  ELOOP: "links that lead to themselves",
  EIO: "a disk that does not answer",
  EBUSY: "a file that another program uses",
  ERR_FS_FILE_TOO_LARGE: "a file of more than 2 GiB",
};

/** Why the system refused a file, in words: the message of an error says "no such file", not "ENOENT". */
export function fileReason(error: unknown): string {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined) return message ?? String(error);
  return Object.hasOwn(REASONS, code) ? REASONS[code]! : code;
}

/** Whether an error is a failed system call on a file; `fetch` wraps those of the network in a TypeError. */
export function isFileFailure(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}
