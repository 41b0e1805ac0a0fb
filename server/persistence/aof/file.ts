/**
 * One log file, written through Bun's file writer with every result checked: a sink that fails may lose bytes silently and stay dead, so
 * a block is written and flushed in one synchronous stretch, and anything but the right byte counts is a failure that truncates
 * the file back to its last good end.
 */
import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, openSync } from "node:fs";
import type { FileSink } from "bun";

export class WritableLogFile {
  /** Bytes known to be whole blocks. */
  size: number;
  private readonly fd: number;
  private sink: FileSink | undefined;

  /** Appends to `path`, which is made if it is missing. */
  constructor(path: string) {
    this.fd = openSync(path, "a");
    this.size = fstatSync(this.fd).size;
  }

  /** @returns undefined when all of it reached the kernel, else the cause; then the file ends where it did before */
  write(block: Uint8Array): string | undefined {
    const cause = this.tryWrite(block);
    if (cause === undefined) {
      this.size += block.length;
      return undefined;
    }
    this.sink = undefined;
    try {
      ftruncateSync(this.fd, this.size);
    } catch (error) {
      return `${cause}; and ${(error as Error).message}`;
    }
    return cause;
  }

  private tryWrite(block: Uint8Array): string | undefined {
    try {
      this.sink ??= Bun.file(this.fd).writer();
      const written: unknown = this.sink.write(block);
      const flushed: unknown = this.sink.flush();
      // A rejection is answered by the check of the size; it must not go unhandled.
      if (written instanceof Promise) written.catch(() => {});
      if (flushed instanceof Promise) flushed.catch(() => {});
      const size = fstatSync(this.fd).size;
      if (
        typeof written === "number" &&
        typeof flushed === "number" &&
        size === this.size + block.length
      )
        return undefined;
      return "No space left on device";
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** @throws Error */
  sync(): void {
    fdatasyncSync(this.fd);
  }

  syncLater(done: (error: Error | null) => void): void {
    fdatasync(this.fd, done);
  }

  close(): void {
    closeSync(this.fd);
  }
}
