/**
 * Commands that wait. One tries first; if nothing can be served it ends with `wait`, having left its timeout by `readTimeout`. The
 * host then keeps its words and executes them again when one of its keys was touched, until they answer something or the time is up.
 * What a second try must not work out anew (a "$", a moment) is put into the argv table before `wait`: as it is then it is kept.
 */
import { Address, IoFlag, StateField, Status } from "./abi";
import { argLength, argPtr } from "./argv";
import { parseDouble } from "./memory/double";
import { Extended, isInfinite, parseExtended } from "./memory/extended";
import { parseInt64 } from "./memory/text";
import * as reply from "./reply";
import { io, ScratchArea, state } from "./state";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument + 128;
const BLOCK_MS: usize = <usize>Address.State + StateField.BlockMs;
/** 2^63. */
const BEYOND: f64 = 9223372036854775808.0;

/** Reads word `index` as seconds, fractions too. @returns false after an error was answered */
export function readTimeoutSeconds(index: u32): bool {
  const ptr = argPtr(index);
  const length = argLength(index);
  if (parseDouble(ptr, length, NUMBER)) return setTimeout(ceil(load<f64>(NUMBER) * 1000));
  // Redis reads long doubles: what is too large or small for a double is none for them.
  const extended = changetype<Extended>(NUMBER);
  if (!parseExtended(ptr, length, extended)) {
    reply.error("ERR timeout is not a float or out of range");
    return false;
  }
  const size: f64 = isInfinite(extended) || extended.exponent > 0 ? Infinity : 1;
  return setTimeout(extended.negative ? (size === Infinity ? -size : 0) : size);
}

/** Reads word `index` as milliseconds. @returns false after an error was answered */
export function readTimeoutMs(index: u32): bool {
  if (parseInt64(argPtr(index), argLength(index), NUMBER))
    return setTimeout(<f64>load<i64>(NUMBER));
  reply.error("ERR timeout is not an integer or out of range");
  return false;
}

function setTimeout(ms: f64): bool {
  if (ms >= BEYOND) reply.error("ERR timeout is out of range");
  else if (ms < 0) reply.error("ERR timeout is negative");
  else if (ms > 0 && ms + state.nowMs >= BEYOND) reply.error("ERR timeout is out of range");
  else store<f64>(BLOCK_MS, ms);
  return !reply.isFailed();
}

/** Whether the client may wait: not inside EXEC, and not in replay. */
export function mayWait(): bool {
  return (io().flags & (IoFlag.InUnit | IoFlag.Replay)) === 0;
}

/** Nothing can be served: the client waits; nothing was answered. */
export function wait(): void {
  state.status |= Status.Block;
}
