/**
 * send(2) by itself: `socket.write` does the same and takes 0.18 us more for each call, 3 % of what a lone command costs. What the
 * kernel does not take whole goes to `socket.write` as ever, which sees to it that `drain` is called.
 */
import { FFIType, ptr } from "bun:ffi";
import type { DirectSend } from "../net/listener.ts";
import { linuxOnly } from "./libc.ts";

const MSG_NOSIGNAL = 0x4000;

const { i32, u64, ptr: pointer } = FFIType;

// No piece is as long as an i32 does not hold, and wider answers cost a conversion.
const libc = linuxOnly({ send: { args: [i32, pointer, u64, i32], returns: i32 } });

/** @param lasting a view whose bytes never move, from which most is sent. @returns undefined where the system has no such call */
export function createDirectSend(lasting: Uint8Array): DirectSend | undefined {
  const send = libc()?.send;
  if (send === undefined) return undefined;
  const base = Number(ptr(lasting));
  return (fd, bytes, begin, length) => {
    const address = (bytes === lasting ? base : Number(ptr(bytes))) + begin;
    return send(fd, address as ReturnType<typeof ptr>, length, MSG_NOSIGNAL);
  };
}
