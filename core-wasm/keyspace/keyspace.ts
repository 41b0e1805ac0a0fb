/**
 * The keys of all databases: the only file that keeps table, eviction order, wheel and counters in step.
 *
 * Entries are changed through `openForWrite`, `removeEntry` and `setDeadline` alone, which is where a snapshot takes its
 * pre-images; `insertEntry` stamps the epoch, always. An entry's address may change with every write: callers go on with the
 * one they are given.
 */
import { Address, FRAME_BYTES, FrameField, IoFlag, KeyEvent, KeyState } from "../abi";
import * as effects from "../effects";
import { alloc, free, roundedBytes, usableBytes } from "../memory/allocator";
import { hashOf } from "../memory/bytes";
import { followMoved, isToBeOwed, owe, takePreimage } from "../snapshot/walk";
import { io, NO_TABLE, nowMs, random64, ScratchArea, state } from "../state";
import {
  areAllFieldsDue,
  beginDueFields,
  dropDueField,
  hasDueFields,
  hashDelete,
  nextDueField,
  settleTiming,
} from "../types/hash";
import { followEntry, hangFields, unhangFields } from "../types/timing";
import { copyValue, freeValue, memberTable } from "../types/value";
import { markAllUnsynced, markUnsynced, seeAll, seeKey } from "../unsynced";
import { countsUses, countUse, stampNew, stampSeconds } from "./clock";
import { databaseOf, initDatabases, setTableId, tableIdOf } from "./databases";
import {
  DEADLINE_BYTES,
  deadlineOf,
  ENTRY_HEADER_BYTES,
  Entry,
  EntryFlag,
  embeddedBytes,
  embeddedPtr,
  entryAt,
  entryBytes,
  hasDeadlineSpace,
  hasFieldDeadlines,
  hashOfEntry,
  isStamped,
  KIND_BITS,
  keyLength,
  keyPtr,
  layEntry,
  mayExpire,
  refOf,
  stampEpoch,
  Type,
  tableOf,
  typeOf,
} from "./entry";
import {
  enterOrder,
  isOrdered,
  leaveOrder,
  moveInOrder,
  Order,
  takesAllKeys,
  touchOrder,
} from "./order";
import {
  cellOfRef,
  findCell,
  homeBucket,
  insertRef,
  openTable,
  POSITION_END,
  removeCell,
  Table,
  TableState,
  table,
  tableBytes,
  taggedRef,
  touchBucket,
} from "./table";
import { walkStep } from "./table-walk";
import { cancel, relinkMoved, schedule } from "./wheel";

export enum Find {
  None = 0,
  NoTouch = 1, // leaves recency alone
  NoStats = 2, // counts neither hit nor miss
  Write = 4, // looked up to be written: no stats
  NoEvent = 8, // a miss is no event
}

/** Fields that are due which a lookup deletes; the rest is hidden until the wheel comes to it. */
const FIELDS_AT_ONCE: u32 = 64;
/** Deadlines are summed in units of 128 ms: the sum of a billion fits 64 bits. */
export const DEADLINE_SUM_SHIFT: u64 = 7;
/** The part of a frame's record that is the core's: what its word 1 may name, then its member, or the bucket of either, 0 = none, ... */
const FRAME_REF: usize = 20;
/** ... and the hash of that word, then of the member. */
const FRAME_HASH: usize = 24;
/** A table of fewer members is taken to be in the cache. */
const COLD_TABLE_MEMBERS: u32 = 2048;

// ---- databases and tables

export function initKeyspace(): void {
  initDatabases();
}

function ensureTable(db: u32): u32 {
  const id = tableIdOf(db);
  if (id !== NO_TABLE) return id;
  for (let fresh: u32 = 0; fresh < NO_TABLE; fresh++) {
    if (table(fresh).state !== TableState.Unused) continue;
    if (!openTable(fresh)) return NO_TABLE;
    setTableId(db, fresh);
    return fresh;
  }
  return NO_TABLE;
}

export function keyCount(db: u32): u32 {
  seeAll();
  const id = tableIdOf(db);
  return id === NO_TABLE ? 0 : table(id).count;
}

export function deadlineCount(db: u32): u32 {
  const id = tableIdOf(db);
  return id === NO_TABLE ? 0 : table(id).deadlines;
}

/** Bytes of the database beside keys and values: table, entry headers, deadlines. */
export function overhead(db: u32): f64 {
  const id = tableIdOf(db);
  if (id === NO_TABLE) return 0;
  const t = table(id);
  const headers = <f64>t.count * ENTRY_HEADER_BYTES + <f64>t.deadlines * DEADLINE_BYTES;
  return <f64>tableBytes(t) + headers;
}

/** Mean ms to live of the keys with a deadline, 0 if there are none. */
export function meanTtl(db: u32): f64 {
  const id = tableIdOf(db);
  if (id === NO_TABLE || table(id).deadlines === 0) return 0;
  const units = <f64>table(id).deadlineSum / <f64>table(id).deadlines;
  const mean = units * <f64>(1 << DEADLINE_SUM_SHIFT) - state.nowMs;
  return mean > 0 ? Math.floor(mean) : 0;
}

export function swapDb(a: u32, b: u32): void {
  const first = tableIdOf(a);
  setTableId(a, tableIdOf(b));
  setTableId(b, first);
  markAllUnsynced();
}

/** Orphans the database's table; its entries are freed in slices. @returns keys removed. O(1) */
export function flushDb(db: u32): u32 {
  const id = tableIdOf(db);
  if (id === NO_TABLE) return 0;
  const t = table(id);
  t.state = TableState.Orphan;
  state.orphanCount += 1;
  setTableId(db, NO_TABLE);
  markAllUnsynced();
  return t.count;
}

// ---- looking up

/** Forgets the last key hashed: its address means another key from now on. */
export function forgetLookup(): void {
  state.lookupKey = 0;
  state.lookupCell = 0;
}

/** The key last looked up is to be found at `to` from here on, the same bytes as at `from`. Nothing outside commands may have come between. */
export function moveLookup(from: usize, to: usize, length: u32): void {
  if (state.lookupKey === <u32>from && state.lookupLength === length) state.lookupKey = <u32>to;
  else forgetLookup();
}

function lookupHash(key: usize, length: u32): u64 {
  if (state.lookupKey === <u32>key && state.lookupLength === length && key !== 0)
    return state.lookupHash;
  const hash = hashOf(key, length);
  state.lookupKey = <u32>key;
  state.lookupLength = length;
  state.lookupHash = hash;
  state.lookupCell = 0;
  return hash;
}

function findRaw(id: u32, key: usize, length: u32): Entry | null {
  if (id === NO_TABLE) {
    state.lookupKey = 0;
    state.lookupCell = 0;
    return null;
  }
  const hash = lookupHash(key, length);
  // A key that was hashed before: until it is removed or its table changes (`lookupCell`) it is where it was.
  if (state.lookupCell !== 0 && state.lookupTable === id)
    return entryAt(load<u32>(state.lookupCell));
  const cell = findCell(table(id), hash, key, length);
  state.lookupCell = <u32>cell;
  state.lookupTable = id;
  return cell === 0 ? null : entryAt(load<u32>(cell));
}

/**
 * Brings what the next `count` frames will look at into the cache. Each lookup waits for memory three times in a row; here the
 * waits of all frames overlap: what loads is a loop of its own, since of one that computes too the processor looks ahead at a few
 * rounds only. Word 1 is taken for the key: where it is none the work is wasted, nothing else. Where there is nothing to load, it is
 * from address 0.
 * @returns 0 = everything was in the cache, as far as sizes tell. O(frames)
 */
export function prefetchFrames(count: u32): u32 {
  const id = tableIdOf(io().db);
  if (id === NO_TABLE) return 0;
  const t = table(id);
  const end = <usize>Address.Frames + <usize>count * FRAME_BYTES;
  let withMember: u32 = 0;
  for (let frame: usize = Address.Frames; frame < end; frame += FRAME_BYTES) {
    const words = load<u32>(frame, FrameField.Words);
    if (words < 2) {
      store<u32>(frame, 0, FRAME_REF);
      continue;
    }
    if (words > 2) withMember += 1;
    aimAt(frame, t, load<u32>(frame, FrameField.Argv) + 8);
  }
  let touched: u32 = 0;
  for (let frame: usize = Address.Frames; frame < end; frame += FRAME_BYTES)
    touched += load<u32>(load<u32>(frame, FRAME_REF));
  findRefs(end);
  for (let frame: usize = Address.Frames; frame < end; frame += FRAME_BYTES) {
    const ref: usize = load<u32>(frame, FRAME_REF);
    touched += load<u32>(ref) + load<u32>(ref, 64);
  }
  const members = withMember === 0 ? 0 : prefetchMembers(end);
  if (members === 0 && t.count < COLD_TABLE_MEMBERS) return 0;
  // The sum says nothing; without it the loads would not be made.
  return (touched + members) | 1;
}

/** The same for members of large collections: frames up to `end` of which the entry is known. @returns 0 = there are none */
function prefetchMembers(end: usize): u32 {
  let cold: u32 = 0;
  for (let frame: usize = Address.Frames; frame < end; frame += FRAME_BYTES) {
    const ref = load<u32>(frame, FRAME_REF);
    store<u32>(frame, 0, FRAME_REF);
    const words = load<u32>(frame, FrameField.Words);
    if (ref === 0 || words < 3) continue;
    const entry = entryAt(ref);
    const members: usize = memberTable(entry);
    if (members === 0 || changetype<Table>(members).count < COLD_TABLE_MEMBERS) continue;
    // Behind the key, or in ZADD behind the score: where it is neither the work is wasted.
    const pair = load<u32>(frame, FrameField.Argv) + (memberWord(entry, words) << 3);
    aimAt(frame, changetype<Table>(members), pair);
    cold += 1;
  }
  if (cold === 0) return 0;
  let touched: u32 = 0;
  for (let frame: usize = Address.Frames; frame < end; frame += FRAME_BYTES)
    touched += touchBucket(load<u32>(frame, FRAME_REF));
  findRefs(end);
  for (let frame: usize = Address.Frames; frame < end; frame += FRAME_BYTES)
    touched += load<u32>(load<u32>(frame, FRAME_REF));
  return touched | 1;
}

/** Notes the hash of the word at `pair` (u32 ptr, u32 length) for a frame, and as its ref, for now, the bucket that it leads to. */
function aimAt(frame: usize, t: Table, pair: usize): void {
  const hash = hashOf(load<u32>(pair), load<u32>(pair, 4));
  store<u64>(frame, hash, FRAME_HASH);
  store<u32>(frame, <u32>homeBucket(t, hash), FRAME_REF);
}

/** Puts what each frame's hash finds in its bucket in place of that. */
function findRefs(end: usize): void {
  for (let frame: usize = Address.Frames; frame < end; frame += FRAME_BYTES) {
    const bucket: usize = load<u32>(frame, FRAME_REF);
    if (bucket !== 0) store<u32>(frame, taggedRef(bucket, load<u64>(frame, FRAME_HASH)), FRAME_REF);
  }
}

/** The word that names a member in most commands on one of a collection. */
function memberWord(entry: Entry, words: u32): u32 {
  return typeOf(entry) === Type.SortedSet && words > 3 ? 3 : 2;
}

function cellOf(entry: Entry): usize {
  const cell: usize = state.lookupCell;
  if (cell !== 0 && load<u32>(cell) === refOf(entry)) return cell;
  return cellOfRef(table(tableOf(entry)), hashOfEntry(entry), refOf(entry));
}

function isKeyDue(entry: Entry): bool {
  const deadline = deadlineOf(entry);
  return deadline !== 0 && deadline <= nowMs();
}

/** Whether the key is due, or all that a hash has. */
export function isExpired(entry: Entry): bool {
  if (!mayExpire(entry)) return false;
  return isKeyDue(entry) || (hasFieldDeadlines(entry) && areAllFieldsDue(entry));
}

/** Deletes an entry that is due, with all that follows from it. */
export function expireEntry(entry: Entry): void {
  const db = databaseOf(tableOf(entry));
  if (db !== NO_TABLE) {
    effects.expired(db, keyPtr(entry), keyLength(entry));
    state.expiredKeys += 1;
  }
  removeEntry(entry);
}

/**
 * Deletes fields of a hash that are due, `most` at the most, with all that follows from it: HDEL stands before what the running command
 * does. One that has nothing else goes whole. @returns false = the key is gone
 */
export function expireFields(entry: Entry, most: u32): bool {
  const db = databaseOf(tableOf(entry));
  if (db === NO_TABLE || areAllFieldsDue(entry)) {
    if (db !== NO_TABLE) effects.expiredHash(db, keyPtr(entry), keyLength(entry));
    removeEntry(entry);
    return false;
  }
  openForWrite(entry);
  beginDueFields(entry);
  for (let i: u32 = 0; i < most && nextDueField(entry); i++) {
    const length = state.memberLength;
    effects.expiredField(db, keyPtr(entry), keyLength(entry), state.memberPtr, length);
    dropDueField(entry);
  }
  settleTiming(entry);
  effects.concerned(db, KeyEvent.Hexpired, keyPtr(entry), keyLength(entry));
  return true;
}

/** The same for one field that is due. Others are not. */
export function expireField(entry: Entry, field: usize, length: u32): void {
  const db = databaseOf(tableOf(entry));
  openForWrite(entry);
  effects.expiredField(db, keyPtr(entry), keyLength(entry), field, length);
  hashDelete(entry, field, length);
  settleTiming(entry);
  effects.concerned(db, KeyEvent.Hexpired, keyPtr(entry), keyLength(entry));
}

/** What a lookup gives of an entry that may be due in whole or in part, or null. What is due is deleted, or while writes are refused hidden. */
function liveOf(entry: Entry): Entry | null {
  const flags = io().flags;
  if ((flags & IoFlag.Replay) !== 0) return entry;
  const isRefused = (flags & IoFlag.WritesRefused) !== 0;
  if (isKeyDue(entry)) {
    if (!isRefused) expireEntry(entry);
    return null;
  }
  if (!hasDueFields(entry)) return entry;
  if (isRefused) return areAllFieldsDue(entry) ? null : entry;
  return expireFields(entry, FIELDS_AT_ONCE) ? entry : null;
}

/** An access: the clock word and the place in the order follow. */
export function stampAccess(entry: Entry): void {
  if (countsUses()) countUse(entry);
  else stampSeconds(entry);
  touchOrder(entry);
}

/**
 * The live entry of a key of the client's database, or null. One that is due is deleted first; while writes are refused it
 * is only hidden, and in replay it is as good as any. O(1)
 */
export function find(key: usize, length: u32, how: u32): Entry | null {
  return findIn(io().db, key, length, how);
}

export function findIn(db: u32, key: usize, length: u32, how: u32): Entry | null {
  let entry = findRaw(tableIdOf(db), key, length);
  if (state.unsynced !== 0) seeKey(lookupHash(key, length));
  if (entry !== null && mayExpire(entry)) entry = liveOf(entry);
  if ((how & (Find.NoStats | Find.Write)) === 0) {
    if (entry === null) {
      state.keyspaceMisses += 1;
      if ((how & Find.NoEvent) === 0) effects.event(KeyEvent.Keymiss, db, key, length);
    } else state.keyspaceHits += 1;
  }
  if (entry !== null && (how & Find.NoTouch) === 0 && (io().flags & IoFlag.NoTouch) === 0)
    stampAccess(entry);
  return entry;
}

/** What lies under a key of the client's database, due or not; no access, no statistics. O(1) */
export function findStored(key: usize, length: u32): Entry | null {
  if (state.unsynced !== 0) seeKey(lookupHash(key, length));
  return findRaw(tableIdOf(io().db), key, length);
}

/** What there is under a key, without a trace. O(1) */
export function peek(db: u32, key: usize, length: u32): KeyState {
  const entry = findRaw(tableIdOf(db), key, length);
  if (entry === null) return KeyState.Missing;
  return isExpired(entry) ? KeyState.Due : KeyState.Live;
}

/** The Type of what lives under a key plus 1, 0 if nothing does; without a trace. O(1) */
export function typeAt(db: u32, key: usize, length: u32): u32 {
  const entry = findRaw(tableIdOf(db), key, length);
  return entry === null || isExpired(entry) ? 0 : typeOf(entry) + 1;
}

// ---- writing

/** Every change of an existing entry begins here: what a snapshot still waits for is written out first. O(size of the value) then */
export function openForWrite(entry: Entry): void {
  if (!isStamped(entry)) takePreimage(entry);
  if (state.unsynced !== 0) markUnsynced(hashOfEntry(entry));
}

function insertEntry(id: u32, hash: u64, entry: Entry): void {
  stampEpoch(entry);
  if (state.unsynced !== 0) markUnsynced(hash);
  insertRef(table(id), hash, refOf(entry));
  stampNew(entry);
  enterOrder(entry);
}

/** Unlinks an entry from everything and frees it. Leaves no effects. O(1) */
export function removeEntry(entry: Entry): void {
  if (isToBeOwed(entry)) {
    if (state.unsynced !== 0) markUnsynced(hashOfEntry(entry));
    detach(entry);
    return owe(entry);
  }
  takeOut(entry);
  freeValue(entry);
  free(changetype<usize>(entry));
}

function takeOut(entry: Entry): void {
  openForWrite(entry);
  detach(entry);
}

/** Unlinks an entry from table, order, wheel and counters. */
function detach(entry: Entry): void {
  const t = table(tableOf(entry));
  const cell = cellOf(entry);
  const hash = state.lookupCell === <u32>cell ? state.lookupHash : hashOfEntry(entry);
  removeCell(t, hash, cell);
  state.lookupCell = 0;
  unlinkEntry(t, entry);
}

/** Takes an entry out of order, wheel and counters, not out of its table. */
export function unlinkEntry(t: Table, entry: Entry): void {
  leaveOrder(entry);
  if (!mayExpire(entry)) return;
  if (deadlineOf(entry) !== 0) unhang(t, entry);
  if (hasFieldDeadlines(entry)) unhangFields(entry);
}

/** Takes an entry that has a deadline out of wheel and counters. */
function unhang(t: Table, entry: Entry): void {
  cancel(entry);
  t.deadlines -= 1;
  t.deadlineSum -= deadlineOf(entry) >> DEADLINE_SUM_SHIFT;
}

/** Forgets the deadline of an entry that has one; its space stays, and so does its place in an order of all keys. */
function dropDeadline(entry: Entry): void {
  unhang(table(tableOf(entry)), entry);
  if (!takesAllKeys()) leaveOrder(entry);
  storeDeadline(entry, 0);
}

function storeDeadline(entry: Entry, atMs: u64): void {
  store<u64>(changetype<usize>(entry), atMs, 28);
}

/** Hangs an entry that has the space at a new deadline, not 0. Its place in an order by use it keeps. */
function hang(entry: Entry, atMs: u64): void {
  const t = table(tableOf(entry));
  if (deadlineOf(entry) !== 0) unhang(t, entry);
  if (state.order === Order.Deadline) leaveOrder(entry);
  storeDeadline(entry, atMs);
  schedule(entry);
  t.deadlines += 1;
  t.deadlineSum += atMs >> DEADLINE_SUM_SHIFT;
  if (!isOrdered(entry)) enterOrder(entry);
}

/**
 * Moves an entry into a block of `bytes`, with or without the space of a deadline, and puts the new address wherever the
 * old one stood. `keepValue` copies what is embedded. @returns null = no memory, nothing changed
 */
export function rehouse(old: Entry, bytes: u32, withDeadline: bool, keepValue: bool): Entry | null {
  const ptr = alloc(bytes);
  if (ptr === 0) return null;
  const cell = cellOf(old);
  if (!withDeadline && deadlineOf(old) !== 0) dropDeadline(old);
  const entry = layEntry(ptr, old.meta, withDeadline, keyPtr(old), keyLength(old));
  entry.lruPrev = old.lruPrev;
  entry.lruNext = old.lruNext;
  entry.clock = old.clock;
  entry.value = old.value;
  if (hasFieldDeadlines(entry)) followEntry(entry);
  if (keepValue) memory.copy(embeddedPtr(entry), embeddedPtr(old), embeddedBytes(old));
  if (deadlineOf(old) !== 0) {
    memory.copy(ptr + ENTRY_HEADER_BYTES, changetype<usize>(old) + ENTRY_HEADER_BYTES, 16);
    relinkMoved(entry);
  }
  moveInOrder(entry, old);
  followMoved(old, entry);
  store<u32>(cell, refOf(entry));
  free(changetype<usize>(old));
  return entry;
}

/** Moves the entry's block as it is (defragmentation). @returns null = no memory */
export function moveEntry(entry: Entry): Entry | null {
  const withDeadline = hasDeadlineSpace(entry);
  const bytes = entryBytes(keyLength(entry), withDeadline, embeddedBytes(entry));
  return rehouse(entry, bytes, withDeadline, true);
}

/** A block that can take over the entry's value, whose place another is to have. @returns null = no memory */
function layImage(entry: Entry): Entry | null {
  const withDeadline = hasDeadlineSpace(entry);
  const ptr = alloc(entryBytes(keyLength(entry), withDeadline, 0));
  if (ptr === 0) return null;
  const image = layEntry(ptr, entry.meta, withDeadline, keyPtr(entry), keyLength(entry));
  if (withDeadline) storeDeadline(image, deadlineOf(entry));
  return image;
}

/** Leaves the entry's value to the snapshot that waits for it. */
function leaveImage(entry: Entry, image: Entry): void {
  image.value = entry.value;
  if (hasFieldDeadlines(entry)) {
    unhangFields(entry);
    entry.meta &= ~((<u32>EntryFlag.FieldDeadlines) << 8);
  }
  followMoved(entry, image);
  owe(image);
  stampEpoch(entry);
}

/**
 * An entry of the key with room for a value of `embedded` bytes, the rest of it as asked: new, in place, or rehoused.
 * The old value is freed, the new one and its type are the caller's to write. @returns null = no memory, nothing changed
 */
export function makeEntry(
  existing: Entry | null,
  key: usize,
  length: u32,
  embedded: u32,
  deadline: u64,
): Entry | null {
  const withDeadline = deadline !== 0;
  const bytes = entryBytes(length, withDeadline, embedded);
  let entry: Entry;
  if (existing === null) {
    const id = ensureTable(io().db);
    const ptr = id === NO_TABLE ? 0 : alloc(bytes);
    if (ptr === 0) return null;
    entry = layEntry(ptr, Type.String | (id << 16), withDeadline, key, length);
    insertEntry(id, lookupHash(key, length), entry);
    state.lookupCell = 0;
    effects.event(KeyEvent.New, io().db, key, length);
  } else {
    const image = isToBeOwed(existing) ? layImage(existing) : null;
    if (image === null) openForWrite(existing);
    const inPlace =
      withDeadline === hasDeadlineSpace(existing) &&
      roundedBytes(bytes) === usableBytes(changetype<usize>(existing));
    if (inPlace) entry = existing;
    else {
      const moved = rehouse(existing, bytes, withDeadline, false);
      if (moved === null) {
        if (image !== null) free(changetype<usize>(image));
        return null;
      }
      entry = moved;
    }
    if (image === null) freeValue(entry);
    else leaveImage(entry, image);
  }
  if (withDeadline && deadlineOf(entry) !== deadline) hang(entry, deadline);
  return entry;
}

/** Sets or moves the deadline of an entry. @returns null = no memory, nothing changed. O(1) */
export function setDeadline(entry: Entry, atMs: u64): Entry | null {
  openForWrite(entry);
  let roomy: Entry | null = entry;
  if (!hasDeadlineSpace(entry)) {
    roomy = rehouse(entry, entryBytes(keyLength(entry), true, embeddedBytes(entry)), true, true);
    if (roomy === null) return null;
  }
  hang(roomy, atMs);
  return roomy;
}

/** Takes the deadline away, and its space if there is memory for the move. */
export function clearDeadline(entry: Entry): Entry {
  openForWrite(entry);
  if (deadlineOf(entry) !== 0) dropDeadline(entry);
  const slim = rehouse(
    entry,
    entryBytes(keyLength(entry), false, embeddedBytes(entry)),
    false,
    true,
  );
  return slim === null ? entry : slim;
}

// ---- other names

/** A block, in no table yet, with the entry's value under a key of `db`. @returns null = no memory */
function layUnder(entry: Entry, db: u32, key: usize, length: u32): Entry | null {
  const id = ensureTable(db);
  if (id === NO_TABLE) return null;
  const withDeadline = deadlineOf(entry) !== 0;
  const embedded = embeddedBytes(entry);
  const ptr = alloc(entryBytes(length, withDeadline, embedded));
  if (ptr === 0) return null;
  const kind = entry.meta & KIND_BITS;
  const laid = layEntry(ptr, kind | (id << 16), withDeadline, key, length);
  laid.value = entry.value;
  memory.copy(embeddedPtr(laid), embeddedPtr(entry), embedded);
  return laid;
}

/** Puts a laid entry into its place as a new key of the database. */
function insertLaid(entry: Entry, db: u32, key: usize, length: u32, deadline: u64): void {
  insertEntry(tableOf(entry), lookupHash(key, length), entry);
  state.lookupCell = 0;
  effects.event(KeyEvent.New, db, key, length);
  if (deadline !== 0) hang(entry, deadline);
  if (hasFieldDeadlines(entry)) hangFields(entry);
}

/**
 * Gives an entry another key, or another database, with its value and deadline; what is there already, `existing`, is
 * removed. For the eviction order it is a new key. @returns false = no memory, nothing changed. O(1)
 */
export function renameEntry(
  entry: Entry,
  db: u32,
  key: usize,
  length: u32,
  existing: Entry | null,
): bool {
  const renamed = layUnder(entry, db, key, length);
  if (renamed === null) return false;
  const deadline = deadlineOf(entry);
  if (existing !== null) removeEntry(existing);
  takeOut(entry);
  free(changetype<usize>(entry));
  insertLaid(renamed, db, key, length, deadline);
  return true;
}

/** The same for a copy. @returns false = no memory, nothing changed. O(size of the value) */
export function copyEntry(
  source: Entry,
  db: u32,
  key: usize,
  length: u32,
  existing: Entry | null,
): bool {
  const copy = layUnder(source, db, key, length);
  if (copy === null) return false;
  if (!copyValue(copy)) {
    free(changetype<usize>(copy));
    return false;
  }
  if (existing !== null) removeEntry(existing);
  insertLaid(copy, db, key, length, deadlineOf(source));
  return true;
}

// ---- walking

/**
 * One step of a walk over a database: the refs of [position, end of its bucket) are collected (`stepRef`), their number in
 * State.stepCount; what is due is among them. @returns the next position, 0 = the walk is over
 */
export function walkDb(db: u32, position: u64): u64 {
  const id = tableIdOf(db);
  state.stepCount = 0;
  seeAll();
  if (id === NO_TABLE || position >= POSITION_END) return 0;
  const next = walkStep(table(id), position);
  return next >= POSITION_END ? 0 : next;
}

export function stepRef(index: u32): Entry {
  return entryAt(load<u32>(Address.Scratch + ScratchArea.Step + ((<usize>index) << 2)));
}

/** An entry near a random place of the hash space, or null if the database is empty. O(1) in a filled table */
export function randomEntry(db: u32): Entry | null {
  if (keyCount(db) === 0) return null;
  let position = random64() >> 16;
  do position = walkDb(db, position);
  while (state.stepCount === 0);
  return stepRef(<u32>(random64() % state.stepCount));
}
