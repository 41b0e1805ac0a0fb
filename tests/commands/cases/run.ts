/** Runs a command case over a connection, and in step with whatever time means there. */
import { expect } from "bun:test";
import type { Connection } from "../../support/reference.ts";
import type { CommandCase, Protocol, Step } from "./case.ts";

/** Judges one reply; a failure shows the command. */
export function expectReply(step: Step, raw: string, protocol: Protocol): void {
  const command = step.words.join(" ").slice(0, 100);
  expect([command, step.reply(raw, protocol)]).toEqual([command, undefined]);
}

/** Runs the case on an emptied server, as a client of the protocol. `version` is the Redis version it stands for. */
export async function runCase(
  testCase: CommandCase,
  { client, protocol, version }: { client: Connection; protocol: Protocol; version: string },
): Promise<void> {
  await client.raw("HELLO", `${protocol}`);
  await client.raw("SELECT", "0");
  await client.raw("FLUSHALL");
  for (const step of testCase.steps(Date.now())) {
    if ("passMs" in step) {
      await Bun.sleep(step.passMs);
      continue;
    }
    const raw = await client.raw(...step.words);
    if (step.since72 !== undefined && version < "7.2") continue;
    expectReply(step, raw, protocol);
  }
}
