/** DEBUG PANIC, ASSERT and SEGFAULT: ends of the server as bugs cause them, for those who test what is left behind. */
import { Address, StateField } from "../../core-wasm/abi.ts";
import type { CommandContext } from "./context.ts";

/** An error in TypeScript's half. */
export function debugPanic(): never {
  throw new Error("DEBUG PANIC was called");
}

/** An assertion of the core that fails: one of its figures is falsified, then all are checked. */
export function debugAssert({ core, reply }: CommandContext): void {
  core.memory.words.setBigUint64(Address.State + StateField.UsedBytes, 1n, true);
  core.check();
  reply.error("ERR the core did not notice");
}
