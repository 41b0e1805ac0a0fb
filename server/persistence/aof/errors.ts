/** What goes wrong with a log, in words. */

/** A log that cannot be used as it is; the message says which file and where. */
export class AofError extends Error {}

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EBADF: "Bad file descriptor",
  EDQUOT: "Disk quota exceeded",
  EFBIG: "File too large",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  EMFILE: "Too many open files",
  ENFILE: "Too many open files in system",
  ENOENT: "No such file or directory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
};

/** The cause of a failed call, in the words of the system. */
export function causeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return TEXTS[code ?? ""] ?? message ?? String(error);
}
