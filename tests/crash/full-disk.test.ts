/** A full disk: writes are refused with the cause, reads go on, and the log is whole again as soon as there is room. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  expectHealedWithinASecond,
  HEALING_FLAGS,
  type Instant,
  instant,
} from "../support/healing.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import {
  freePort,
  type ServerProcess,
  startProcess,
  temporaryDirectory,
} from "../support/server-process.ts";

const DISK_BYTES = 4 << 20;
const FILLER_BYTES = 3 << 20;
const VALUE_BYTES = 32 << 10;
/** Writes that more than fill what the filler leaves. */
const WRITES_MAX = 200;

function run(...command: string[]): boolean {
  return Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).exitCode === 0;
}

/** Whether this process may mount a small file system. */
const mayMount = (() => {
  const probe = temporaryDirectory();
  const mounted = run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", probe.path);
  if (mounted) run("umount", probe.path);
  probe.remove();
  if (!mounted)
    console.log("a small tmpfs cannot be mounted: the tests of a full disk are skipped");
  return mounted;
})();

let disk: ReturnType<typeof temporaryDirectory>;
let server: ServerProcess | undefined;
let client: Connection;
const filler = () => join(disk.path, "filler");

beforeEach(() => {
  disk = temporaryDirectory();
  if (!mayMount) return;
  run("mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", disk.path);
  writeFileSync(filler(), Buffer.alloc(FILLER_BYTES));
});
afterEach(async () => {
  client?.close();
  await server?.kill("SIGKILL");
  server = undefined;
  if (mayMount) run("umount", "-l", disk.path);
  disk.remove();
});

async function start(policy: string): Promise<void> {
  const flags = ["--dir", disk.path, "--appendonly", "yes", "--appendfsync", policy];
  flags.push("--auto-aof-rewrite-percentage", "0", ...HEALING_FLAGS);
  server = await startProcess(freePort(), ...flags);
  client = await openConnection(server.port);
}

/** Writes until the log refuses. @returns the keys that were acknowledged; the one without an answer is in doubt */
async function writeUntilRefused(): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let i = 0; i < WRITES_MAX; i++) {
    const reply = await client.raw(
      "SET",
      `k${i}`,
      String.fromCharCode(97 + (i % 26)).repeat(VALUE_BYTES),
    );
    if (reply.startsWith("-MISCONF")) {
      expect(reply).toContain("No space left on device");
      return acknowledged;
    }
    expect(reply).toBe("+OK\r\n");
    acknowledged.push(`k${i}`);
  }
  throw new Error("the disk did not fill up");
}

async function expectValues(keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const letter = String.fromCharCode(97 + (Number(key.slice(1)) % 26));
    expect(await client.raw("GET", key)).toBe(
      `$${VALUE_BYTES}\r\n${letter.repeat(VALUE_BYTES)}\r\n`,
    );
  }
}

for (const policy of ["everysec", "no"])
  test.skipIf(!mayMount)(
    `a full disk refuses writes, serves reads, loses nothing and heals under ${policy}`,
    async () => {
      await start(policy);
      const kept = await writeUntilRefused();
      expect(kept.length).toBeGreaterThan(10);
      await expectValues(kept);
      expect(await client.raw("INFO", "persistence")).toContain("aof_last_write_status:err");
      rmSync(filler());
      const freed = instant(server!.pid);
      while ((await client.raw("SET", "again", "1")).startsWith("-MISCONF")) await Bun.sleep(20);
      const served = instant(server!.pid);
      await server!.kill("SIGKILL");
      expectHealedWithinASecond(await server!.output(), freed, served);
      client.close();
      await start(policy);
      await expectValues(kept);
      expect(await client.raw("GET", "again")).toBe("$1\r\n1\r\n");
    },
  );

test.skipIf(!mayMount)(
  "under always the reply of a write that found no room is held until there is some, and the server lives",
  async () => {
    await start("always");
    let held: Promise<string> | undefined;
    let freed: Instant | undefined;
    const kept: string[] = [];
    for (let i = 0; held === undefined && i < WRITES_MAX; i++) {
      const reply = client.raw(
        "SET",
        `k${i}`,
        String.fromCharCode(97 + (i % 26)).repeat(VALUE_BYTES),
      );
      const first = await Promise.race([reply, Bun.sleep(500).then(() => "held")]);
      if (first === "held") held = reply;
      else expect(first).toBe("+OK\r\n");
      kept.push(`k${i}`);
    }
    expect(held).toBeDefined();
    // Who looks at nothing that the disk has not taken is served meanwhile, who looks at it waits.
    const [reader, waiter] = [
      await openConnection(server!.port),
      await openConnection(server!.port),
    ];
    try {
      expect(await reader.raw("GET", "k0")).toStartWith(`$${VALUE_BYTES}\r\n`);
      expect(await reader.raw("SET", "other", "1")).toStartWith("-MISCONF");
      const seen = waiter.raw("STRLEN", kept.at(-1)!);
      expect(await Promise.race([seen, reader.raw("GET", "k1").then(() => "waits")])).toBe("waits");
      rmSync(filler());
      freed = instant(server!.pid);
      expect(await seen).toBe(`:${VALUE_BYTES}\r\n`);
    } finally {
      reader.close();
      waiter.close();
    }
    expect(await held!).toBe("+OK\r\n");
    const served = instant(server!.pid);
    await server!.kill("SIGKILL");
    expectHealedWithinASecond(await server!.output(), freed!, served);
    client.close();
    await start("always");
    await expectValues(kept);
  },
);
