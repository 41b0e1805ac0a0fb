/** Members at random: what SRANDMEMBER, HRANDFIELD and ZRANDMEMBER have in common. */
import { Address } from "../abi";
import { argLength, argPtr } from "../argv";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { random64, ScratchArea } from "../state";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
/** Blocks of members drawn so far. */
const DRAWN: usize = Address.Scratch + ScratchArea.Found;
/** Distinct members are drawn one by one up to this many, if the collection is much larger; beyond, it is walked. */
const DRAWN_MAX: u64 = 1000;
const DRAWN_SHARE: u64 = 10;

/** Reads word 2 as how many members are wanted, into `choiceCount`. @returns false after an error was answered */
export function readChoiceCount(): bool {
  if (!parseInt64(argPtr(2), argLength(2), NUMBER)) {
    reply.notInteger();
    return false;
  }
  if (choiceCount() !== i64.MIN_VALUE) return true;
  reply.error(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
  );
  return false;
}

/** Below 0: so many that may be the same. */
export function choiceCount(): i64 {
  return load<i64>(NUMBER);
}

/** Whether so few of `size` are wanted that drawing until they are distinct is cheaper than a walk. */
export function isFew(count: u64, size: u32): bool {
  return count <= DRAWN_MAX && count * DRAWN_SHARE < <u64>size;
}

/** Notes the block as the one drawn behind `drawn` others. @returns false = it is one of those. O(drawn) */
export function noteDrawn(ref: u32, drawn: u32): bool {
  for (let i: u32 = 0; i < drawn; i++)
    if (load<u32>(DRAWN + ((<usize>i) << 2)) === ref) return false;
  store<u32>(DRAWN + ((<usize>drawn) << 2), ref);
  return true;
}

/** Whether a walk takes the member before it, `wanted` of the `left` to come: so that every choice is as likely as any other. */
export function isChosen(wanted: u32, left: u32): bool {
  return random64() % <u64>left < <u64>wanted;
}
