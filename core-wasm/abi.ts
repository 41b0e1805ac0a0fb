/**
 * The numbers both halves agree on: addresses, command ids, status bits, effect records.
 * Only `const enum`s and plain constants, so that asc and Bun compile the same file.
 */

/** The memory map. Everything JavaScript touches in place lies below the heap; see `state.ts` for the drawing. */
export enum Address {
  State = 0x0001_0000,
  ArgvTable = 0x0002_0000,
  IoBlock = 0x0004_0000,
  Frames = 0x0004_2000,
  Tables = 0x0004_4000,
  Scratch = 0x0005_0000,
  Snapshot = 0x000c_0000,
  SnapshotEnd = 0x000e_0000,
  SnapshotSaved = 0x000e_1000,
  OrderLists = 0x000f_0000,
  PageTable = 0x0010_0000,
  Effects = 0x0030_0000,
  EffectsEnd = 0x0040_0000,
  Input = 0x0040_0000,
  InputEnd = 0x0080_0000,
  Output = 0x0080_0000,
  OutputEnd = 0x0100_0000,
  Heap = 0x0100_0000,
}

/** Entries of the argv table at its fixed place; a longer command brings a table of its own in a heap run. */
export const ARGV_TABLE_ENTRIES = 16384;
/** Bytes of slack kept readable behind every input buffer, so that word loads may read over the end. */
export const INPUT_SLACK_BYTES = 64;
export const MAX_DATABASES = 128;
export const PAGE_BYTES = 65536;
/** Pages the memory starts with (32 MiB: the fixed areas and 16 MiB of heap) and may grow to (4 GiB). */
export const INITIAL_PAGES = 512;
export const MAXIMUM_PAGES = 65536;

/** Byte offsets of the fields of the IO block that the host reads and writes. */
export enum IoField {
  ArgvPtr = 0, // u32: pairs of (u32 ptr, u32 length)
  OutTop = 4, // u32: where the next reply byte goes
  OutEnd = 8, // u32: the window's end
  OutStart = 12, // u32: the window's start; `drain(Reply)` sets OutTop back to it
  Protocol = 16, // u32: 2 or 3
  Db = 20, // u32: the client's selected database
  Flags = 24, // u32: IoFlag bits
  FramesDone = 28, // u32: frames that `executeFrames` has done before the one it runs
  FramesStatus = 32, // u32: what each of them has answered
}

export enum IoFlag {
  NoTouch = 1, // CLIENT NO-TOUCH: reads leave recency alone
  Replay = 2, // log or primary's stream: no expiry, no eviction, no refusal for want of memory
  WritesRefused = 4, // MISCONF in force: expired keys are hidden, not deleted, and nothing is evicted
  InUnit = 8, // inside EXEC: room was made before the first command, nothing is evicted until behind the last
  Retry = 16, // a command that waits is tried again: one of its keys was touched
}

/**
 * Frames found in the input and not executed yet: up to FRAME_BATCH commands are framed (`frame`, and by the host what is out of the
 * ordinary), the core loads what their keys will need (`prefetch`), then executes them in order (`executeFrames`). One record of
 * FRAME_BYTES each, at Address.Frames:
 *   0 u32 argv table |4 u32 words |8 u32 first byte |12 u32 byte behind |16 u32 FrameFlag bits |20 u32, 24 u64 the core's own
 */
export const FRAME_BATCH = 32;
export const FRAME_BYTES = 32;
export enum FrameField {
  Argv = 0,
  Words = 4,
  Start = 8,
  End = 12,
  Flags = 16,
}

export enum FrameFlag {
  Canonical = 1, // its bytes are what we would write
  SameCommand = 2, // it follows the frame before at once, and has the name of that, as it is written, and as many words
  SameKey = 4, // with SameCommand: word 1 is that of the frame before, too
}

/** Longer names are the same command as none. */
export const SAME_NAME_MAX_BYTES = 8;

/** Byte offsets of the fields of State that the host reads or writes directly; the rest goes through exports. */
export enum StateField {
  NowMs = 72, // f64: the wall clock, stored by the host before a batch of calls
  HostBytes = 80, // f64: bytes that the host holds for clients, part of used_memory
  EffectMask = 88, // u32: EffectMask bits: what the host wants to be told
  EffectsTop = 92, // u32: end of the effect records since the last reset; the host sets it back to Address.Effects
  FatalCode = 96, // u32: code of the `ensure` that failed, 0 = none
  FatalDetail = 100, // u32: its second number
  UsedBytes = 104, // u64: blocks by class size, tables, backlog; without HostBytes
  HeapPagesUsed = 112, // u32: 64 KiB heap pages in use (allocator_active)
  HeapPagesTop = 116, // u32: 64 KiB pages handed to the heap so far
  KeyspaceHits = 120, // u64
  KeyspaceMisses = 128, // u64
  ExpiredKeys = 136, // u64
  EvictedKeys = 144, // u64
  LazyFreed = 152, // u64: entries and large values that were freed in slices
  Changes = 160, // u64: changes of keys and databases by commands
  Databases = 168, // u32: number of databases, for range errors and SWAPDB
  MaxStringBytes = 172, // u32: proto-max-bulk-len, the longest string APPEND may make
  PageLimit = 284, // u32: heap pages that may ever be in use; tests lower it
  BlockMs = 0x0a80, // f64: how long the client may wait that a command answers Status.Block for, 0 = for ever
  Limits = 0x0f00, // i32[64] by Limit: thresholds of encodings, written by the host from its directives
  SnapshotPhase = 0x1900, // u32: SnapshotPhase
  SnapshotTop = 0x1904, // u32: end of the stream's bytes in the window; the host sets it back to Address.Snapshot
  SnapshotReason = 0x1908, // u32: SnapshotReason of the last walk that was given up
  SnapshotEntries = 0x1940, // u64: entries of all tables when the walk began
  SnapshotVisited = 0x1948, // u64: of them those that are done
  SnapshotTables = 0x1a00, // u16[256]: the core's own
  CommandFlags = 0x0800, // u8[512]: CommandFlag bits by command id, written once by the host from the specs
  Interest = 0x6000, // u32[INTEREST_CELLS]: how many ask for the keys of each cell (interest.ts)
}

/** A power of two. */
export const INTEREST_CELLS = 4096;

/** Thresholds of encodings: positions in State's Limits, named after their directives. */
export enum Limit {
  HashListpackEntries = 0,
  HashListpackValue = 1,
  SetIntsetEntries = 2,
  SetListpackEntries = 3,
  SetListpackValue = 4,
  ZsetListpackEntries = 5,
  ZsetListpackValue = 6,
  ListListpackSize = 7,
  ListCompressDepth = 8,
  StreamNodeBytes = 9,
  StreamNodeEntries = 10,
  HllSparseBytes = 11,
  ListPlainBytes = 12, // DEBUG QUICKLIST-PACKED-THRESHOLD, 0 = what a node may have
}

export enum CommandFlag {
  Write = 1,
  DenyOom = 2,
}

/** A command kept for later (`keepCommand`): u32 bytes of the whole |u32 argc, then the argv table, then the words. */
export const KEPT_HEADER_BYTES = 8;

/** What the host wants to hear about. Nothing is recorded for a bit that is off. */
export enum EffectMask {
  Propagate = 1, // a log or a replica follows
  Touched = 2, // somebody watches: of the keys asked for (`heedKey`)
  Events = 4, // keyspace notifications are on
  AllTouched = 8, // beside Touched: of all keys, asked for or not
}

/** What `execute` answers: bits. 0 = done, nothing to do but send the reply. */
export enum Status {
  Changed = 1, // the dataset changed; propagate the request unless Rewritten
  Rewritten = 2, // propagate the effect records instead of the request
  Effects = 4, // records wait in the effects buffer
  Error = 8, // the reply is an error
  SawUnsynced = 16, // looked at data that waits for the next sync (group commit)
  Block = 32, // nothing to serve: park the client
  SawSyncing = 64, // touched data that the sync in flight covers
  Drained = 128, // the host has emptied the reply window: the client may have had enough
}

/** What a Status has at the most: `executeFrames` answers how many frames it has executed above them. */
export const STATUS_BITS = 8;

/**
 * An effect record: 16 bytes of header, then `argc` pairs (u32 ptr, u32 length), then bytes the record owns, 8-aligned.
 *   0 u8 kind |1 u8 aux |2 u16 argc |4 u32 total bytes of the record |8 u32 db |12 u32 commandId
 * Pairs point into the record itself, the request's argv or static text: valid until the next call into the core. So many words of a
 * request as there may be have no room here: they stay in its argv table, which the last pair names (EFFECT_REST).
 */
export const EFFECT_HEADER_BYTES = 16;
/** Aux of Propagate: the last pair is no word, but the address and the number of pairs that go on from there. */
export const EFFECT_REST = 1;
export enum EffectKind {
  Self = 1, // the request belongs here, as it came
  Propagate = 2, // command `commandId` with these arguments (the name is not among them); aux = EFFECT_REST or 0
  Expired = 3, // key found expired and deleted: propagate DEL key
  Evicted = 4, // key evicted: propagate DEL key
  Touched = 5, // key changed; aux = TouchCause
  Event = 6, // keyspace event `aux` = KeyEvent about key
  FlushedDb = 7, // every key of `db` touched; db = 0xFFFFFFFF: of all; aux = 1: it was exchanged for another database's
  Awaken = 8, // who waits for the key is to try again; for nobody else it was touched
}

/** Why a key was touched. */
export enum TouchCause {
  Changed = 0, // by the command that runs
  Due = 1, // its time had come, it is deleted
  Evicted = 2,
}

/** Keyspace events by name: a capital inside stands for Redis's underscore, of XGROUP's for a hyphen. `server/dispatch/effects.ts` has each one's class. */
export enum KeyEvent {
  Set = 1,
  Del = 2,
  Expire = 3,
  Persist = 4,
  Expired = 5,
  Evicted = 6,
  Incrby = 7,
  Append = 8,
  New = 9,
  Keymiss = 10,
  Setrange = 20,
  Incrbyfloat = 21,
  Setbit = 22,
  Pfadd = 23,
  RenameFrom = 40,
  RenameTo = 41,
  MoveFrom = 42,
  MoveTo = 43,
  CopyTo = 44,
  Sortstore = 45,
  Lpush = 60,
  Rpush = 61,
  Lpop = 62,
  Rpop = 63,
  Linsert = 64,
  Lset = 65,
  Lrem = 66,
  Ltrim = 67,
  Hset = 80,
  Hdel = 81,
  Hincrby = 82,
  Hincrbyfloat = 83,
  Hexpire = 84,
  Hpersist = 85,
  Hexpired = 86,
  Sadd = 100,
  Srem = 101,
  Spop = 102,
  Sinterstore = 103,
  Sunionstore = 104,
  Sdiffstore = 105,
  Zadd = 120,
  Zincr = 121,
  Zrem = 122,
  Zrangestore = 123,
  Zunionstore = 124,
  Zinterstore = 125,
  Zdiffstore = 126,
  Zpopmin = 127,
  Zpopmax = 128,
  Zremrangebyrank = 129,
  Zremrangebyscore = 130,
  Zremrangebylex = 131,
  Geosearchstore = 132,
  Georadiusstore = 133,
  Xadd = 140,
  Xdel = 141,
  Xtrim = 142,
  Xsetid = 143,
  XgroupCreate = 144,
  XgroupSetid = 145,
  XgroupDestroy = 146,
  XgroupCreateconsumer = 147,
  XgroupDelconsumer = 148,
}

/** What `peekKey` answers. */
export enum KeyState {
  Missing = 0,
  Live = 1,
  Due = 2, // there, but past its deadline
}

/** Streams of the one host import, `drain(stream)`: called when a region is full. */
export enum Stream {
  Reply = 1,
  Effects = 2,
  Snapshot = 3,
}

/** How far a snapshot is. */
export enum SnapshotPhase {
  None = 0,
  Walking = 1,
  Quiet = 2, // given up: it goes on to its end without output
}

/** Why a walk was given up. */
export enum SnapshotReason {
  Host = 0, // `snapshotAbort`
  Flushed = 1, // every database was
  Memory = 2, // what was flushed had to be freed
}

/** No database: the stream selects one before its next command. */
export const SNAPSHOT_ANY_DB = 0xffff_ffff;

export enum EvictionPolicy {
  NoEviction = 0,
  AllKeysLru = 1,
  VolatileLru = 2,
  AllKeysLfu = 3,
  VolatileLfu = 4,
  AllKeysRandom = 5,
  VolatileRandom = 6,
  VolatileTtl = 7,
}

/** Commands the core executes. Dense from 1: the dispatch switch is a jump table. */
export enum Cmd {
  Get = 1,
  Set = 2,
  Del = 3,
  Unlink = 4,
  Exists = 5,
  Expire = 6,
  PExpire = 7,
  ExpireAt = 8,
  PExpireAt = 9,
  Ttl = 10,
  PTtl = 11,
  ExpireTime = 12,
  PExpireTime = 13,
  Persist = 14,
  Type = 15,
  DbSize = 16,
  FlushAll = 17,
  FlushDb = 18,
  SwapDb = 19,
  MGet = 20,
  MSet = 21,
  Incr = 22,
  IncrBy = 23,
  Decr = 24,
  DecrBy = 25,
  Append = 26,
  StrLen = 27,
  RandomKey = 28,
  Keys = 29,
  Scan = 30,
  GetDel = 31,
  GetEx = 32,
  GetRange = 33,
  SubStr = 34,
  GetSet = 35,
  MSetNx = 36,
  PSetEx = 37,
  SetEx = 38,
  SetNx = 39,
  SetRange = 40,
  DelIfEq = 41,
  IncrByFloat = 42,
  Lcs = 43,
  SetBit = 44,
  GetBit = 45,
  BitCount = 46,
  BitPos = 47,
  BitOp = 48,
  BitField = 49,
  BitFieldRo = 50,
  Copy = 70,
  Move = 71,
  Rename = 72,
  RenameNx = 73,
  Touch = 74,
  ObjectEncoding = 75,
  ObjectFreq = 76,
  ObjectIdleTime = 77,
  ObjectRefCount = 78,
  MemoryUsage = 79,
  DebugObject = 80,
  DebugDigest = 81,
  DebugDigestValue = 82,
  DebugPopulate = 83,
  LPush = 100,
  RPush = 101,
  LPushX = 102,
  RPushX = 103,
  LPop = 104,
  RPop = 105,
  LLen = 106,
  LIndex = 107,
  LRange = 108,
  LSet = 109,
  LInsert = 110,
  LRem = 111,
  LTrim = 112,
  LPos = 113,
  LMove = 114,
  RPopLPush = 115,
  LMPop = 116,
  BLPop = 117,
  BRPop = 118,
  BLMove = 119,
  BRPopLPush = 120,
  BLMPop = 121,
  DebugListpack = 122,
  DebugQuicklist = 123,
  HSet = 140,
  HSetNx = 141,
  HMSet = 142,
  HGet = 143,
  HMGet = 144,
  HGetAll = 145,
  HKeys = 146,
  HVals = 147,
  HLen = 148,
  HStrLen = 149,
  HExists = 150,
  HDel = 151,
  HIncrBy = 152,
  HIncrByFloat = 153,
  HRandField = 154,
  HScan = 155,
  HExpire = 156,
  HPExpire = 157,
  HExpireAt = 158,
  HPExpireAt = 159,
  HTtl = 160,
  HPTtl = 161,
  HExpireTime = 162,
  HPExpireTime = 163,
  HPersist = 164,
  HGetEx = 165,
  HSetEx = 166,
  HGetDel = 167,
  SAdd = 180,
  SRem = 181,
  SMove = 182,
  SCard = 183,
  SIsMember = 184,
  SMIsMember = 185,
  SMembers = 186,
  SPop = 187,
  SRandMember = 188,
  SInter = 189,
  SUnion = 190,
  SDiff = 191,
  SInterStore = 192,
  SUnionStore = 193,
  SDiffStore = 194,
  SInterCard = 195,
  SScan = 196,
  PfAdd = 290,
  PfCount = 291,
  PfMerge = 292,
  PfSelfTest = 293,
  PfDebug = 294,
  ZAdd = 210,
  ZIncrBy = 211,
  ZRem = 212,
  ZCard = 213,
  ZScore = 214,
  ZMScore = 215,
  ZRank = 216,
  ZRevRank = 217,
  ZRange = 218,
  ZRevRange = 219,
  ZRangeByScore = 220,
  ZRevRangeByScore = 221,
  ZRangeByLex = 222,
  ZRevRangeByLex = 223,
  ZRangeStore = 224,
  ZCount = 225,
  ZLexCount = 226,
  ZRemRangeByRank = 227,
  ZRemRangeByScore = 228,
  ZRemRangeByLex = 229,
  ZPopMin = 230,
  ZPopMax = 231,
  ZMPop = 232,
  ZUnion = 233,
  ZInter = 234,
  ZDiff = 235,
  ZUnionStore = 236,
  ZInterStore = 237,
  ZDiffStore = 238,
  ZInterCard = 239,
  ZRandMember = 240,
  ZScan = 241,
  BZPopMin = 242,
  BZPopMax = 243,
  BZMPop = 244,
  Sort = 320,
  SortRo = 321,
  GeoAdd = 300,
  GeoDist = 301,
  GeoHash = 302,
  GeoPos = 303,
  GeoRadius = 304,
  GeoRadiusRo = 305,
  GeoRadiusByMember = 306,
  GeoRadiusByMemberRo = 307,
  GeoSearch = 308,
  GeoSearchStore = 309,
  XAdd = 260,
  XLen = 261,
  XRange = 262,
  XRevRange = 263,
  XDel = 264,
  XTrim = 265,
  XSetId = 266,
  XRead = 267,
  XReadGroup = 268,
  XGroupCreate = 269,
  XGroupSetId = 270,
  XGroupDestroy = 271,
  XGroupCreateConsumer = 272,
  XGroupDelConsumer = 273,
  XAck = 274,
  XPending = 275,
  XClaim = 276,
  XAutoClaim = 277,
  XInfoStream = 278,
  XInfoGroups = 279,
  XInfoConsumers = 280,
}
