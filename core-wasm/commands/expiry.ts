/** The expiry options that SET and GETEX share, and the deadline they ask for. */
import { Address } from "../abi";
import { argLength, argPtr, Word } from "../argv";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { nowMs, ScratchArea } from "../state";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

/** Bits that leave room below for a command's own. */
export enum Expiry {
  Seconds = 0x100,
  Milliseconds = 0x200,
  AtSeconds = 0x400,
  AtMilliseconds = 0x800,
  Any = 0xf00,
}

/** The flag of an option word, 0 if it is none. */
export function expiryOption(word: u64): u32 {
  if (word === Word.EX) return Expiry.Seconds;
  if (word === Word.PX) return Expiry.Milliseconds;
  if (word === Word.EXAT) return Expiry.AtSeconds;
  return word === Word.PXAT ? Expiry.AtMilliseconds : 0;
}

/** The absolute deadline in ms that word `index` means under its option; 0 after an error, `invalid` for one, was answered. */
export function deadlineArg(index: u32, flags: u32, invalid: string): u64 {
  if (!parseInt64(argPtr(index), argLength(index), NUMBER)) {
    reply.notInteger();
    return 0;
  }
  let value = load<i64>(NUMBER);
  const inSeconds = (flags & (Expiry.Seconds | Expiry.AtSeconds)) !== 0;
  const from = (flags & (Expiry.Seconds | Expiry.Milliseconds)) !== 0 ? <i64>nowMs() : 0;
  let fits = value > 0 && !(inSeconds && value > i64.MAX_VALUE / 1000);
  if (fits && inSeconds) value *= 1000;
  fits = fits && value <= i64.MAX_VALUE - from;
  if (fits) return <u64>(value + from);
  reply.error(invalid);
  return 0;
}
