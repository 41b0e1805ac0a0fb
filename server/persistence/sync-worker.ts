/** The thread of SyncThread: syncs the file that it is asked for, and says how that went. */
import { fdatasyncSync } from "node:fs";
import { Cell, type SyncResult } from "./sync-thread.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<SharedArrayBuffer>) => {
  const cells = new Int32Array(data);
  let done = 0;
  self.postMessage(null satisfies SyncResult);
  for (;;) {
    Atomics.wait(cells, Cell.Asked, done);
    done = Atomics.load(cells, Cell.Asked);
    self.postMessage(sync(Atomics.load(cells, Cell.Fd)));
  }
};

function sync(fd: number): SyncResult {
  try {
    fdatasyncSync(fd);
    return null;
  } catch (error) {
    const { code = "EIO", message } = error as NodeJS.ErrnoException;
    return { code, message };
  }
}
