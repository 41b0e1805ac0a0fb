import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SyncThread } from "../../../server/persistence/sync-thread.ts";
import { temporaryDirectory } from "../../support/server-process.ts";

const MODULE = join(import.meta.dir, "../../../server/persistence/sync-thread.ts");

let dir: ReturnType<typeof temporaryDirectory>;
let fd: number;
let thread: SyncThread;

beforeEach(() => {
  dir = temporaryDirectory();
  fd = openSync(join(dir.path, "log"), "a");
  thread = new SyncThread();
});
afterEach(() => {
  closeSync(fd);
  dir.remove();
});

async function syncUntilThere(): Promise<number> {
  let syncs = 0;
  for (; !thread.isThere; syncs++) {
    writeSync(fd, "x");
    await thread.sync(fd);
  }
  return syncs;
}

test("the thread is begun when syncs have come closely for a while, and syncs from then on", async () => {
  expect(await syncUntilThere()).toBeGreaterThan(60);
  const syncing = thread.sync(fd);
  // It does one at a time: the pool does the other.
  expect(thread.isThere).toBe(false);
  await Promise.all([syncing, thread.sync(fd)]);
  expect(thread.isThere).toBe(true);
});

test("what goes wrong there is told with its code, and the next sync goes well", async () => {
  await syncUntilThere();
  const closed = openSync(join(dir.path, "other"), "a");
  closeSync(closed);
  expect(thread.isThere).toBe(true);
  await expect(thread.sync(closed)).rejects.toMatchObject({ code: "EBADF" });
  await thread.sync(fd);
  expect(thread.isThere).toBe(true);
});

test("a process with it waits for the sync that was asked for, and ends by itself", async () => {
  const script = `
    import { openSync } from "node:fs";
    import { SyncThread } from ${JSON.stringify(MODULE)};
    const thread = new SyncThread();
    const fd = openSync(${JSON.stringify(join(dir.path, "log"))}, "a");
    while (!thread.isThere) await thread.sync(fd);
    thread.sync(fd).then(() => console.log("synced"));
  `;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("synced\n");
  expect(await child.exited).toBe(0);
});
