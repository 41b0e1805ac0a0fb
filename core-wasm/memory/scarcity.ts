/**
 * Want of memory at a chosen place, in the test build only (`CHOSEN_SCARCITY` of tuning.ts): the n-th question for memory that a
 * command asks is answered with no, and so is every one behind it. Who was told that there is room has so much and no more; what is
 * freed meanwhile comes back to it. Reserved blocks are not asked for.
 */
import { state } from "../state";
import { CHOSEN_SCARCITY } from "../tuning";

const IS_PROMISED: u64 = 1 << 63;

/** From here on the `question`-th is the first that is answered with no; 0 = none. @returns 1 = no was answered since the last choice */
export function chooseScarcity(question: i32): i32 {
  const hasEnded = state.questionsLeft === 1 ? 1 : 0;
  state.questionsLeft = question;
  state.promisedBytes = 0;
  return hasEnded;
}

/** Whether a block of so many bytes, as they are counted, is not to be had. */
export function isRefused(bytes: u32): bool {
  if (!CHOSEN_SCARCITY || state.questionsLeft === 0) return false;
  const promised = state.promisedBytes;
  if (promised !== 0) {
    if ((promised & ~IS_PROMISED) < bytes) {
      state.questionsLeft = 1;
      return true;
    }
    state.promisedBytes -= bytes;
    return false;
  }
  if (state.questionsLeft === 1) return true;
  state.questionsLeft -= 1;
  return state.questionsLeft === 1;
}

/** The same where room is asked for that blocks are taken of later. */
export function isRoomRefused(bytes: u64): bool {
  if (!CHOSEN_SCARCITY || state.questionsLeft === 0) return false;
  if (state.promisedBytes !== 0) return (state.promisedBytes & ~IS_PROMISED) < bytes;
  if (isRefused(0)) return true;
  state.promisedBytes = IS_PROMISED | bytes;
  return false;
}

/** A block was freed. */
export function comesBack(bytes: u32): void {
  if (CHOSEN_SCARCITY && state.promisedBytes !== 0) state.promisedBytes += bytes;
}
