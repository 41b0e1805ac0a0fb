/**
 * The clock word of an entry: when it was last used, or under an LFU policy how often.
 *
 *   flag Frequency off: seconds since 1970
 *   flag Frequency on:  counter:8 minutes:24, Redis's logarithmic counter and the minute it was brought up to date
 *
 * A change of policy leaves the words as they are: each form can be read as the other, and the next access writes the one in
 * force. Minutes are counted modulo 2^24 and told apart over 15 years.
 */
import { EvictionPolicy } from "../abi";
import { nowSeconds, random64, state } from "../state";
import { Entry, EntryFlag } from "./entry";

/** Counter of a new key: it must not be the first to go. */
const INITIAL_COUNTER: u32 = 5;
const FIRST_COUNTING: u32 = EvictionPolicy.AllKeysLfu;
if (EvictionPolicy.VolatileLfu !== EvictionPolicy.AllKeysLfu + 1) ERROR("LFU policies stand apart");
const LARGEST_COUNTER: u32 = 255;
const FREQUENCY_FORM: u32 = EntryFlag.Frequency << 8;

/** Whether the policy in force counts uses. */
export function countsUses(): bool {
  // The two stand side by side; this is asked at every access.
  return state.policy - FIRST_COUNTING <= 1;
}

export function nowMinutes(): u32 {
  return nowSeconds() / 60;
}

function isFrequencyForm(entry: Entry): bool {
  return (entry.meta & FREQUENCY_FORM) !== 0;
}

/** The minute the word speaks of; it may lie in the future if the clock was set back. */
function minuteOf(entry: Entry): i64 {
  if (!isFrequencyForm(entry)) return entry.clock / 60;
  const now = nowMinutes();
  // The difference of two numbers of 24 bits, with its sign.
  return <i64>now + (<i32>(((entry.clock >> 8) - now) << 8) >> 8);
}

function storedCounter(entry: Entry): u32 {
  return isFrequencyForm(entry) ? entry.clock & 255 : INITIAL_COUNTER;
}

/** Seconds since 1970 of the last use, as exact as the word is. */
export function lastUseSeconds(entry: Entry): u32 {
  return isFrequencyForm(entry) ? <u32>(minuteOf(entry) * 60) : entry.clock;
}

export function idleSeconds(entry: Entry): u32 {
  const now = nowSeconds();
  const used = lastUseSeconds(entry);
  return now > used ? now - used : 0;
}

/** The counter as it is now: one less for each period of lfu-decay-time without use. */
export function counterNow(entry: Entry): u32 {
  const counter = storedCounter(entry);
  const elapsed = <i64>nowMinutes() - minuteOf(entry);
  if (state.decayMinutes === 0 || elapsed <= 0) return counter;
  const periods = elapsed / <i64>state.decayMinutes;
  return periods > <i64>counter ? 0 : counter - <u32>periods;
}

/**
 * The minute in which the counter will be 0 if the key is not used again; without decay the counter itself. Its order is the
 * order of the counters at any time, because all decay alike.
 */
export function zeroMinute(entry: Entry): i64 {
  const counter = <i64>storedCounter(entry);
  if (state.decayMinutes === 0) return counter;
  return minuteOf(entry) + counter * <i64>state.decayMinutes;
}

function stampCounter(entry: Entry, counter: u32): void {
  entry.meta |= FREQUENCY_FORM;
  entry.clock = (nowMinutes() << 8) | counter;
}

export function stampSeconds(entry: Entry): void {
  if (isFrequencyForm(entry)) entry.meta &= ~FREQUENCY_FORM;
  entry.clock = nowSeconds();
}

/** A use: counted with a probability that falls as the counter grows. */
export function countUse(entry: Entry): void {
  let counter = counterNow(entry);
  if (counter < LARGEST_COUNTER) {
    const above = counter > INITIAL_COUNTER ? counter - INITIAL_COUNTER : 0;
    const chance = <f64>above * <f64>state.logFactor + 1;
    const draw = <f64>(random64() >> 11) / <f64>((<u64>1) << 53);
    if (draw * chance < 1) counter += 1;
  }
  stampCounter(entry, counter);
}

export function stampNew(entry: Entry): void {
  if (countsUses()) stampCounter(entry, INITIAL_COUNTER);
  else stampSeconds(entry);
}
