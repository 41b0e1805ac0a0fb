/**
 * All mutable state of the core, at fixed addresses. There are no mutable globals: whoever has the memory has the
 * database, and a second instance of the module over the same memory sees the same state.
 *
 *   0x0000_0000    1 KiB  null guard (ref 0 = none)
 *   0x0000_0400   63 KiB  read-only data segments
 *   0x0001_0000   64 KiB  State: fields |0x800 command flags |0xA00 database map |0xA80 block time |0xB00 class list heads
 *                         |0xD00 class sizes |0xF00 limits |0x1000 hash keys |0x1800 free-run lists |0x1900 snapshot |0x2000 wheel slots |0x5000 wheel bitmaps
 *                         |0x6000 counters of asked-for keys |0xA000 powers of ten |0xD000 unsynced keys
 *   0x0002_0000  128 KiB  argv table: pairs (u32 ptr, u32 length)
 *   0x0004_0000    8 KiB  IO block
 *   0x0004_2000    8 KiB  frames of the input that wait for execution
 *   0x0004_4000   48 KiB  table descriptors, 192 bytes each
 *   0x0005_0000  448 KiB  scratch: collected refs, formatted numbers, split buffers; nothing in it outlives a call
 *   0x000c_0000  128 KiB  the snapshot's stream; behind it what pre-images must leave as it was
 *   0x000f_0000   64 KiB  sentinels of the eviction order's lists, and their bitmap
 *   0x0010_0000    2 MiB  page table: 32 bytes per 64 KiB page
 *   0x0030_0000    1 MiB  effect records
 *   0x0040_0000    4 MiB  input window
 *   0x0080_0000    8 MiB  output window
 *   0x0100_0000           heap, in 64 KiB pages up to the end of the memory
 */
import { Address, IoField, Limit, StateField } from "./abi";

/** One caller's place: with threads each has its own, and taking the lock sets `State.io`. */
@final
@unmanaged
export class IoBlock {
  argvPtr: u32;
  outTop: u32;
  outEnd: u32;
  outStart: u32;
  protocol: u32;
  db: u32;
  flags: u32;
  framesDone: u32;
  framesStatus: u32;
}

@final
@unmanaged
export class State {
  /** For threads to come; alone on its cache line. */
  lock: u32;
  lockPad0: u32;
  lockPad1: u64;
  lockPad2: u64;
  lockPad3: u64;
  lockPad4: u64;
  lockPad5: u64;
  lockPad6: u64;
  lockPad7: u64;
  io: u32;
  epoch: u32; // 0 or 1: the stamp of entries (MECHANISMS 2)
  nowMs: f64;
  hostBytes: f64;
  effectMask: u32;
  effectsTop: u32;
  fatalCode: u32;
  fatalDetail: u32;
  usedBytes: u64;
  heapPagesUsed: u32;
  heapPagesTop: u32;
  keyspaceHits: u64;
  keyspaceMisses: u64;
  expiredKeys: u64;
  evictedKeys: u64;
  lazyFreed: u64;
  changes: u64;
  databases: u32;
  maxStringBytes: u32;

  status: u32; // Status bits of the command that runs
  effectRecord: u32; // where the next word of the record being written goes
  random: u64; // generator state
  maxBytes: u64; // maxmemory, 0 = unset
  policy: u32; // EvictionPolicy
  order: u32; // Order in force
  orderGeneration: u32; // 1..7: entries stamped with it are linked in the order
  orderRoot: u32; // treap root
  lruPrev: u32; // sentinel of the recency list: prev = coldest, next = hottest
  lruNext: u32;
  orderTable: u32; // progress of a rebuild: table id, then hash position
  orderPosition: u64;
  lookupKey: u32; // the last key hashed by this command, its length and hash, the cell it was found in, 0 = none, and that one's table
  lookupLength: u32;
  lookupHash: u64;
  lookupCell: u32;
  lookupTable: u32;
  wheelNowMs: u64; // every slot before it is empty
  orphanCount: u32; // tables waiting to be freed
  freeTable: u32; // progress of the freeing: table id, then directory index
  freeIndex: u32;
  pageLimit: u32; // heap pages that may be handed out
  freeRunMask: u64; // bit n-1: the list of free runs of n pages is not empty (bit 63: of 64 and more)
  tidyTable: u32; // progress of merging
  tidyIndex: u32;
  moveTable: u32; // progress of defragmentation: table id, NO_TABLE = none runs
  moveIndex: u32;
  moveSettledPages: u32; // pages in use when a round ended that moved nothing
  movedBlocks: u32; // in this round
  effectSlot: u32; // room for the next word's own bytes in the record being written
  orderStage: u32; // Stage of the order in force
  orderUnfinished: u32; // rebuilds begun since one last saw every entry there was
  orderSeconds: u32; // the clock when the order was begun
  orderAge: u32; // the list by rough age that is being sorted
  pastPrev: u32; // sentinel of what a rebuild has sorted
  pastNext: u32;
  logFactor: u32; // lfu-log-factor
  decayMinutes: u32; // lfu-decay-time
  frequencyStep: u64; // minutes of a list of the ring
  frequencyNow: i64; // the step of the ring that was last looked at
  effectOwn: u32; // room for the bytes that the record being written keeps
  packedAt: u32; // position in the packed sequence that was changed last
  elementPtr: u32; // the element read last: bytes, or 0 for an integer
  elementLength: u32;
  elementInteger: i64;
  listNode: u32; // position in a list: its node, 0 in a packed list, and the element's address, 0 = none
  listAt: u32;
  memberPtr: u32; // the member of a collection read last, as bytes
  memberLength: u32;
  walkEncoding: u32; // the walk over the members of a collection: what it walks, and where it is
  walkValue: u32;
  walkIndex: u32;
  walkPosition: u64;
  evacuating: u32; // large table that defragmentation is in the middle of, 0 = none
  evacuateIndex: u32;
  garbage: u32; // first node of the list of large values to be freed
  limitBytes: u64; // the limit in force
  expiryPaused: u32; // 1: keys that are due are deleted only when they are looked up (DEBUG SET-ACTIVE-EXPIRE 0)
  valuePtr: u32; // the value of the hash's field read last, as bytes (the field is memberPtr)
  valueLength: u32;
  fieldDeadline: u64; // and its deadline in ms, 0 = none
  evacuateGroup: u32; // where in a stream the moving of its blocks is (stream-move.ts): group, consumer, id
  evacuateConsumer: u32;
  evacuateMs: u64;
  evacuateSeq: u64;
  snapshotValue: u32; // where in a stream its writing goes on (snapshot/stream-value.ts): value, cursor, id
  snapshotCursor: u64;
  snapshotMs: u64;
  snapshotSeq: u64;
  unsynced: u32; // what is known of keys that no sync covers yet (unsynced.ts), 0 = nobody asks
  releasedPages: u32; // free pages that the system has back
  questionsLeft: u32; // where memory ends in a test (memory/scarcity.ts), and what was promised
  promisedBytes: u64;
  fallingBytes: u64; // used bytes when defragmentation last looked whether they fall, when that was, and what it found
  fallingAtMs: u64;
  isFalling: u32;
  stepCount: u32; // refs collected by the last walk step
  touched: u32; // what was loaded only to be in the cache; of no meaning
}

/** Room for so many size classes of the allocator. */
export const CLASS_CELLS: u32 = 128;

/** Areas inside State, as offsets from its start. */
export enum Area {
  DatabaseMap = 0xa00, // u8[128]: table id of a database, NO_TABLE = none yet
  ClassHeads = 0xb00, // u32[CLASS_CELLS]: first page with room of each size class
  ClassSizes = 0xd00, // u32[CLASS_CELLS]
  HashKeys = 0x1000, // u32[256 + 8]
  FreeRuns = 0x1800, // u32[64]: first page of the list of free runs by length
  WheelSlots = 0x2000, // 6 x 256 sentinels of 8 bytes
  WheelBitmaps = 0x5000, // 6 x 256 bits
  PowersOfTen = 0xa000, // 617 x 16: what the digits of doubles are worked out with (powers.ts)
  Unsynced = 0xd000, // 2 x 4 KiB: keys that no sync covers yet
}

/** Areas inside scratch, as offsets from Address.Scratch. */
export enum ScratchArea {
  Step = 0, // u32[24]: refs of a walk step
  Number = 0x400, // a formatted number
  Split = 0x1000, // 1 KiB per segment depth
  IdPath = 0x800, // the way from the root of a tree of ids to a leaf: 8 bytes a level
  Entries = 0x880, // the walk over the entries of a stream
  StreamIds = 0x940, // ids parsed from arguments, figures of the stream's command that runs
  Element = 0xc00, // digits and head of an element of a packed sequence
  Text = 0x10000, // a line being put together
  Digest = 0x18000, // state of the hash that runs, digests
  Member = 0xd00, // numbers and digits of members of sets and fields of hashes
  Aside = 0xe00, // an entry in no table: the result of a command in the making
  ScanArguments = 0xe40, // cursor, count and pattern of a scan
  Scored = 0x600, // the member of a sorted set in hand, the walk over one, its digits
  TreePath = 0x700, // the way from a leaf of a tree to its root: 8 bytes a level
  FrameMask = 0x1ff00, // which bytes of a command others repeat, while they are framed
  Argument = 0x20000, // numbers parsed from arguments
  Decimal = 0x24000, // limbs and digits of a number being read or written
  Digits = 0x28000, // a formatted number of many digits
  Found = 0x30000, // u32[65536]: refs that one SCAN answers, figures for the host
}

function limitAt(which: u32): usize {
  return <usize>Address.State + StateField.Limits + ((<usize>which) << 2);
}

/** The value of a threshold of encodings (`Limit` of abi.ts). */
export function limit(which: u32): i32 {
  return load<i32>(limitAt(which));
}

/** Redis's defaults, until the host writes its directives. */
export function setDefaultLimits(): void {
  store<i32>(limitAt(Limit.HashListpackEntries), 512);
  store<i32>(limitAt(Limit.HashListpackValue), 64);
  store<i32>(limitAt(Limit.SetIntsetEntries), 512);
  store<i32>(limitAt(Limit.SetListpackEntries), 128);
  store<i32>(limitAt(Limit.SetListpackValue), 64);
  store<i32>(limitAt(Limit.ZsetListpackEntries), 128);
  store<i32>(limitAt(Limit.ZsetListpackValue), 64);
  store<i32>(limitAt(Limit.ListListpackSize), -2);
  store<i32>(limitAt(Limit.ListCompressDepth), 0);
  store<i32>(limitAt(Limit.StreamNodeBytes), 4096);
  store<i32>(limitAt(Limit.StreamNodeEntries), 100);
  store<i32>(limitAt(Limit.HllSparseBytes), 3000);
}

/** No table: tables have ids below it. */
export const NO_TABLE: u32 = 255;

export const state = changetype<State>(Address.State);

export function io(): IoBlock {
  return changetype<IoBlock>(state.io);
}

export function nowMs(): u64 {
  return <u64>state.nowMs;
}

if (offsetof<IoBlock>("flags") !== IoField.Flags) ERROR("IoBlock and abi.ts disagree");
if (offsetof<State>("nowMs") !== StateField.NowMs) ERROR("State and abi.ts disagree: nowMs");
if (offsetof<State>("databases") !== StateField.Databases) ERROR("State: databases");
if (offsetof<State>("maxStringBytes") !== StateField.MaxStringBytes) ERROR("State: maxStringBytes");
if (offsetof<State>("pageLimit") !== StateField.PageLimit) ERROR("State: pageLimit");
if (<i32>offsetof<State>() > StateField.CommandFlags) ERROR("State runs into its areas");
if (offsetof<State>("lazyFreed") !== StateField.LazyFreed) ERROR("State and abi.ts disagree");

/** The wall clock in whole seconds. A division of doubles: much cheaper than one of 64-bit integers. */
export function nowSeconds(): u32 {
  return <u32>(state.nowMs / 1000);
}

/** Our own assertion, in release too: leaves the code where the host finds it, then traps. */
export function ensure(condition: bool, code: i32, detail: u32 = 0): void {
  if (!condition) {
    state.fatalCode = code;
    state.fatalDetail = detail;
    unreachable();
  }
}

/** The next number of the core's generator (xorshift64*): never zero state, seeded by the host. */
export function random64(): u64 {
  let x = state.random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  state.random = x;
  return x * 0x2545f4914f6cdd1d;
}
