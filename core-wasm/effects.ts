/**
 * What a command or a background slice caused, as records in order for the host (layout: abi.ts).
 *
 * Nothing is written for what nobody asked for (State.effectMask), so the common command leaves no record at all and the
 * host propagates its frame. The first record of a unit that must stand behind the command itself makes the command's
 * own place explicit (`placeSelf`).
 */
import {
  Address,
  Cmd,
  EFFECT_HEADER_BYTES,
  EFFECT_REST,
  EffectKind,
  EffectMask,
  KeyEvent,
  Status,
  Stream,
  TouchCause,
} from "./abi";
import { isHeeded } from "./interest";
import { drain } from "./memory/env";
import { formatInt64, narrow } from "./memory/text";
import { ensure, io, state } from "./state";

const PAIR_BYTES: u32 = 8;
/** Words up to this length are copied into the record; for a longer one the record is drained while the word still lies there. */
const COPIED_MAX_BYTES: u32 = 65536;
/** Each word of a rewritten command has this much room of its own in the record, for a number or a literal. */
const WORD_SLOT_BYTES: u32 = 24;

function wants(mask: u32): bool {
  return (state.effectMask & mask) !== 0;
}

function reserve(bytes: u32): usize {
  if (state.effectsTop + bytes > <u32>Address.EffectsEnd) {
    drain(Stream.Effects);
    ensure(state.effectsTop + bytes <= <u32>Address.EffectsEnd, 901, bytes);
  }
  state.status |= Status.Effects;
  return state.effectsTop;
}

/** Writes a header at the top; `bytes` is the whole record, a multiple of 8. */
function header(kind: u32, aux: u32, argc: u32, bytes: u32, db: u32, commandId: u32): usize {
  const record = reserve(bytes);
  store<u32>(record, kind | (aux << 8) | (argc << 16));
  store<u32>(record, bytes, 4);
  store<u32>(record, db, 8);
  store<u32>(record, commandId, 12);
  return record;
}

function keyRecord(kind: u32, aux: u32, db: u32, key: usize, length: u32): void {
  const copied = length <= COPIED_MAX_BYTES;
  const bytes = EFFECT_HEADER_BYTES + PAIR_BYTES + (copied ? (length + 7) & ~7 : 0);
  const record = header(kind, aux, 1, bytes, db, 0);
  const own = record + EFFECT_HEADER_BYTES + PAIR_BYTES;
  if (copied) memory.copy(own, key, length);
  store<u32>(record, <u32>(copied ? own : key), 16);
  store<u32>(record, length, 20);
  state.effectsTop = <u32>record + bytes;
  if (!copied) drain(Stream.Effects);
}

/** The dataset changed, in so many things: the request is to be propagated, unless a rewrite replaces it. */
export function changed(changes: u32 = 1): void {
  state.status |= Status.Changed;
  state.changes += changes;
}

/** So many changes of what is propagated by records of its own, or not at all. */
export function counted(changes: u32): void {
  state.changes += changes;
}

export function touched(db: u32, key: usize, length: u32): void {
  touchedBy(TouchCause.Changed, db, key, length);
}

function touchedBy(cause: TouchCause, db: u32, key: usize, length: u32): void {
  if (!wants(EffectMask.Touched)) return;
  if (wants(EffectMask.AllTouched) || isHeeded(key, length))
    keyRecord(EffectKind.Touched, cause, db, key, length);
}

/** Who waits for a key is to try again, though it counts as touched for nobody. */
export function awaken(db: u32, key: usize, length: u32): void {
  if (wants(EffectMask.Touched) && isHeeded(key, length))
    keyRecord(EffectKind.Awaken, 0, db, key, length);
}

export function event(name: KeyEvent, db: u32, key: usize, length: u32): void {
  if (wants(EffectMask.Events)) keyRecord(EffectKind.Event, name, db, key, length);
}

/** A key of the client's database was changed by the running command, in so many things: counted, touched and announced at once. */
export function changedKey(name: KeyEvent, key: usize, length: u32, changes: u32 = 1): void {
  changed(changes);
  concernedKey(name, key, length);
}

/** The same for a key of any database. */
export function changedKeyOf(db: u32, name: KeyEvent, key: usize, length: u32): void {
  changed();
  concerned(db, name, key, length);
}

/** A change that was counted concerns this key too, or has this event too. */
export function concerned(db: u32, name: KeyEvent, key: usize, length: u32): void {
  if (state.effectMask & (EffectMask.Touched | EffectMask.Events)) {
    touched(db, key, length);
    event(name, db, key, length);
  }
}

/** The same for a key of the client's database. */
export function concernedKey(name: KeyEvent, key: usize, length: u32): void {
  concerned(io().db, name, key, length);
}

/** Every key of a database, or with ALL_DATABASES of all, is gone; `exchanged`: for those of another. */
export function flushed(db: u32, exchanged: bool = false): void {
  if (!wants(EffectMask.Touched)) return;
  const record = header(EffectKind.FlushedDb, exchanged ? 1 : 0, 0, EFFECT_HEADER_BYTES, db, 0);
  state.effectsTop = <u32>record + EFFECT_HEADER_BYTES;
}

/** A key was deleted because it was due. Called while its bytes are still there. */
export function expired(db: u32, key: usize, length: u32): void {
  if (wants(EffectMask.Propagate)) keyRecord(EffectKind.Expired, 0, db, key, length);
  touchedBy(TouchCause.Due, db, key, length);
  event(KeyEvent.Expired, db, key, length);
}

/** A hash was deleted because all its fields were due. Called while the key's bytes are still there. */
export function expiredHash(db: u32, key: usize, length: u32): void {
  if (wants(EffectMask.Propagate)) keyRecord(EffectKind.Expired, 0, db, key, length);
  if (wants(EffectMask.Touched) && isHeeded(key, length))
    keyRecord(EffectKind.Touched, 1, db, key, length);
  event(KeyEvent.Hexpired, db, key, length);
  event(KeyEvent.Del, db, key, length);
}

/** A field was deleted because it was due: HDEL, in front of what the running command leaves. Called while its bytes are still there. */
export function expiredField(db: u32, key: usize, keyLength: u32, field: usize, length: u32): void {
  if (!wants(EffectMask.Propagate)) return;
  const isKept = keyLength + length > COPIED_MAX_BYTES;
  propagateRecord(db, Cmd.HDel, 2, isKept ? 0 : keyLength + length, 0);
  if (isKept) {
    word(key, keyLength);
    word(field, length);
    return drain(Stream.Effects);
  }
  copied(key, keyLength);
  copied(field, length);
}

/** A key was evicted. Called while its bytes are still there. */
export function evicted(db: u32, key: usize, length: u32): void {
  // For what the running command has stored: its DEL belongs behind the command.
  placeSelf();
  if (wants(EffectMask.Propagate)) keyRecord(EffectKind.Evicted, 0, db, key, length);
  touchedBy(TouchCause.Evicted, db, key, length);
  event(KeyEvent.Evicted, db, key, length);
}

/** Fixes the request's own place: behind the records that are there. Nothing if it changed nothing, or was rewritten. */
export function placeSelf(): void {
  if ((state.status & (Status.Changed | Status.Rewritten)) !== Status.Changed) return;
  if (!wants(EffectMask.Propagate)) return;
  const record = header(EffectKind.Self, 0, 0, EFFECT_HEADER_BYTES, io().db, 0);
  state.effectsTop = <u32>record + EFFECT_HEADER_BYTES;
  state.status |= Status.Rewritten;
}

/** Begins a command that is propagated instead of the request. @returns false = nobody follows, skip the words */
export function begin(commandId: u32, argc: u32): bool {
  return beginWith(commandId, argc, 0);
}

/** The same with room for `ownBytes` of words that the record keeps (`copied`). If there is no room for it, others are drained first. */
export function beginWith(commandId: u32, argc: u32, ownBytes: u32): bool {
  if (!wants(EffectMask.Propagate)) return false;
  propagateRecord(io().db, commandId, argc, ownBytes, 0);
  state.status |= Status.Rewritten;
  return true;
}

/** The same for a command whose last words are the request's, however many: `rest` gives them, and counts as one in `argc`. */
export function beginWithRest(commandId: u32, argc: u32, ownBytes: u32): bool {
  if (!wants(EffectMask.Propagate)) return false;
  propagateRecord(io().db, commandId, argc, ownBytes, EFFECT_REST);
  state.status |= Status.Rewritten;
  return true;
}

function propagateRecord(db: u32, commandId: u32, argc: u32, ownBytes: u32, aux: u32): void {
  const own = (ownBytes + 7) & ~7;
  const bytes = EFFECT_HEADER_BYTES + argc * (PAIR_BYTES + WORD_SLOT_BYTES) + own;
  const record = header(EffectKind.Propagate, aux, 0, bytes, db, commandId);
  store<u16>(record, <u16>argc, 2);
  state.effectRecord = <u32>record + EFFECT_HEADER_BYTES;
  state.effectSlot = state.effectRecord + argc * PAIR_BYTES;
  state.effectOwn = state.effectSlot + argc * WORD_SLOT_BYTES;
  state.effectsTop = <u32>record + bytes;
}

/** The next word: bytes that stay where they are until the command ends. */
export function word(ptr: usize, length: u32): void {
  store<u32>(state.effectRecord, <u32>ptr);
  store<u32>(state.effectRecord, length, 4);
  state.effectRecord += PAIR_BYTES;
  state.effectSlot += WORD_SLOT_BYTES;
}

/** The next word: bytes that are copied into the record, out of the room that `beginWith` was told. */
export function copied(ptr: usize, length: u32): void {
  const own: usize = state.effectOwn;
  memory.copy(own, ptr, length);
  state.effectOwn += length;
  word(own, length);
}

/** The last words of `beginWithRest`: those of the request from `first` up to `end`. */
export function rest(first: u32, end: u32): void {
  word(io().argvPtr + ((<usize>first) << 3), end - first);
}

/** How many of a word's bytes the record keeps for `kept`. */
export function keptBytes(length: u32): u32 {
  return length <= COPIED_MAX_BYTES ? length : 0;
}

/** The next word: bytes that may be freed behind the record; if they are many, `handOver` must end it. */
export function kept(ptr: usize, length: u32): void {
  if (length <= COPIED_MAX_BYTES) copied(ptr, length);
  else word(ptr, length);
}

/** The record is complete. A word of it that was too long to be copied, of this length, may be freed behind this. */
export function handOver(length: u32): void {
  if (length > COPIED_MAX_BYTES) drain(Stream.Effects);
}

/** Propagates `command key member` instead of the request. The member's bytes may be freed behind it. */
export function member(commandId: u32, key: usize, keyLength: u32, ptr: usize, length: u32): void {
  if (!beginWith(commandId, 2, keptBytes(length))) return;
  word(key, keyLength);
  kept(ptr, length);
  handOver(length);
}

/** The next word: a number; its digits lie in the record. */
export function number(value: i64): void {
  const digits: usize = state.effectSlot;
  word(digits, formatInt64(value, digits));
}

/** The next word: a literal of at most WORD_SLOT_BYTES letters, copied into the record. */
export function text(literal: string): void {
  const letters: usize = state.effectSlot;
  word(letters, narrow(literal, letters));
}
