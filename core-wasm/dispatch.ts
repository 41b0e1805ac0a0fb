/**
 * The entry of data commands, one or several in a row: room for the command, the jump to it, room again, and the status the host acts on.
 */
import {
  Address,
  Cmd,
  CommandFlag,
  FRAME_BYTES,
  FrameField,
  FrameFlag,
  IoFlag,
  STATUS_BITS,
  StateField,
  Status,
} from "./abi";
import { argLength } from "./argv";
import * as bitfieldCommands from "./commands/bitfield";
import * as bitmapCommands from "./commands/bitmap";
import * as bitopCommands from "./commands/bitop";
import * as counterCommands from "./commands/counter";
import * as debugCommands from "./commands/debug";
import * as expireCommands from "./commands/expire";
import * as geoCommands from "./commands/geo";
import * as geoSearch from "./commands/geo-search";
import * as hashDeadlines from "./commands/hash-deadlines";
import * as hashRandom from "./commands/hash-random";
import * as hashCommands from "./commands/hashes";
import * as hyperLogLog from "./commands/hyperloglog";
import * as keyCommands from "./commands/keys";
import * as lcsCommands from "./commands/lcs";
import * as listBlocking from "./commands/list-blocking";
import * as listEnds from "./commands/list-ends";
import * as listInside from "./commands/list-inside";
import * as objectCommands from "./commands/object";
import * as renameCommands from "./commands/rename";
import * as scanCommands from "./commands/scan";
import * as setCommands from "./commands/set";
import * as setAlgebra from "./commands/set-algebra";
import * as setsCommands from "./commands/sets";
import * as sortCommand from "./commands/sort";
import * as sortedAlgebra from "./commands/sorted-algebra";
import * as sortedPop from "./commands/sorted-pop";
import * as sortedRandom from "./commands/sorted-random";
import * as sortedRange from "./commands/sorted-range";
import * as sortedSets from "./commands/sorted-sets";
import * as streamClaim from "./commands/stream-claim";
import * as streamGroups from "./commands/stream-groups";
import * as streamInfo from "./commands/stream-info";
import * as streamRead from "./commands/stream-read";
import * as streamCommands from "./commands/streams";
import * as stringCommands from "./commands/string";
import { placeSelf } from "./effects";
import { isRoomy, makeRoom, trimToLimit } from "./keyspace/evict";
import { forgetLookup, moveLookup } from "./keyspace/keyspace";
import * as reply from "./reply";
import { io, state } from "./state";
import { End } from "./types/list";

function argumentBytes(argc: u32): u64 {
  let bytes: u64 = 0;
  for (let i: u32 = 1; i < argc; i++) bytes += argLength(i);
  return bytes;
}

/** Runs command `commandId` on the argv table. @returns Status bits. The command's own cost, plus what it evicts */
export function execute(commandId: i32, argc: i32): i32 {
  forgetLookup();
  return executeNext(commandId, argc);
}

function executeNext(commandId: i32, argc: i32): i32 {
  const flags = <u32>load<u8>(Address.State + StateField.CommandFlags + <usize>commandId);
  state.status = 0;
  // In a unit room was made before its first command, and is made again behind its last.
  const keepsRoom = (io().flags & (IoFlag.Replay | IoFlag.InUnit)) === 0;
  const isInWindow = io().argvPtr < <u32>Address.Heap;
  if (keepsRoom && !(isInWindow && isRoomy())) {
    const growing = (flags & CommandFlag.DenyOom) !== 0;
    const room = makeRoom(growing ? argumentBytes(argc) : 0);
    if (growing && !room) {
      reply.error("OOM command not allowed when used memory > 'maxmemory'.");
      return state.status;
    }
  }
  run(commandId, argc);
  if ((flags & CommandFlag.Write) !== 0) {
    if ((state.status & Status.Effects) !== 0) placeSelf();
    if (keepsRoom) trimToLimit();
  }
  return state.status;
}

/** What frames may answer without ending the run, if all answer the same. */
const UNIFORM: u32 = Status.Changed | Status.SawUnsynced | Status.SawSyncing;

/**
 * Runs command `commandId` on up to `count` frames from record `first` on. Ends behind the first that asks the host for something, or answers
 * something else than those before it, of the bits in `attention`: they have answered what the IO block's FramesStatus says.
 * @returns how many were executed << STATUS_BITS, and the Status of the last. O(frames) times the command's own cost
 */
export function executeFrames(commandId: i32, first: u32, count: u32, attention: u32): u32 {
  const block = io();
  let frame = <usize>Address.Frames + <usize>first * FRAME_BYTES;
  let done: u32 = 0;
  let status: u32 = 0;
  let told: u32 = 0;
  forgetLookup();
  do {
    const argv: usize = load<u32>(frame, FrameField.Argv);
    if (done > 0) followLookup(frame, argv);
    block.framesDone = done++;
    block.argvPtr = <u32>argv;
    status = executeNext(commandId, load<u32>(frame, FrameField.Words));
    told = status & attention;
    if (done === 1) block.framesStatus = told;
    frame += FRAME_BYTES;
  } while (done < count && told === block.framesStatus && (told & ~UNIFORM) === 0);
  return (done << STATUS_BITS) | status;
}

/** What was looked up for the frame before holds for one of the same key; otherwise it is forgotten. */
function followLookup(frame: usize, argv: usize): void {
  if ((load<u32>(frame, FrameField.Flags) & FrameFlag.SameKey) === 0) return forgetLookup();
  moveLookup(load<u32>(io().argvPtr, 8), load<u32>(argv, 8), load<u32>(argv, 12));
}

function run(commandId: i32, argc: u32): void {
  switch (commandId) {
    case Cmd.Get:
      return stringCommands.get();
    case Cmd.Set:
      return setCommands.set(argc);
    case Cmd.Del:
    case Cmd.Unlink:
      return keyCommands.del(argc);
    case Cmd.Exists:
      return keyCommands.exists(argc);
    case Cmd.Expire:
    case Cmd.PExpire:
    case Cmd.ExpireAt:
    case Cmd.PExpireAt:
      return expireCommands.expire(commandId, argc);
    case Cmd.Ttl:
      return expireCommands.ttl(true);
    case Cmd.PTtl:
      return expireCommands.ttl(false);
    case Cmd.ExpireTime:
      return expireCommands.expiretime(true);
    case Cmd.PExpireTime:
      return expireCommands.expiretime(false);
    case Cmd.Persist:
      return expireCommands.persist();
    case Cmd.Type:
      return keyCommands.type();
    case Cmd.DbSize:
      return keyCommands.dbsize();
    case Cmd.FlushAll:
      return keyCommands.flushall(argc);
    case Cmd.FlushDb:
      return keyCommands.flushdb(argc);
    case Cmd.SwapDb:
      return keyCommands.swapdb();
    case Cmd.MGet:
      return stringCommands.mget(argc);
    case Cmd.MSet:
      return setCommands.mset(argc);
    case Cmd.Incr:
      return counterCommands.incr();
    case Cmd.IncrBy:
      return counterCommands.incrby();
    case Cmd.Decr:
      return counterCommands.decr();
    case Cmd.DecrBy:
      return counterCommands.decrby();
    case Cmd.Append:
      return stringCommands.append();
    case Cmd.StrLen:
      return stringCommands.strlen();
    case Cmd.RandomKey:
      return keyCommands.randomkey();
    case Cmd.Keys:
      return scanCommands.keys();
    case Cmd.Scan:
      return scanCommands.scan(argc);
    case Cmd.GetDel:
      return stringCommands.getdel();
    case Cmd.GetEx:
      return stringCommands.getex(argc);
    case Cmd.GetRange:
    case Cmd.SubStr:
      return stringCommands.getrange();
    case Cmd.GetSet:
      return setCommands.getset();
    case Cmd.MSetNx:
      return setCommands.msetnx(argc);
    case Cmd.PSetEx:
      return setCommands.psetex();
    case Cmd.SetEx:
      return setCommands.setex();
    case Cmd.SetNx:
      return setCommands.setnx();
    case Cmd.SetRange:
      return stringCommands.setrange();
    case Cmd.IncrByFloat:
      return counterCommands.incrbyfloat();
    case Cmd.Lcs:
      return lcsCommands.lcs(argc);
    case Cmd.SetBit:
      return bitmapCommands.setbit();
    case Cmd.GetBit:
      return bitmapCommands.getbit();
    case Cmd.BitCount:
      return bitmapCommands.bitcount(argc);
    case Cmd.BitPos:
      return bitmapCommands.bitpos(argc);
    case Cmd.BitOp:
      return bitopCommands.bitop(argc);
    case Cmd.BitField:
    case Cmd.BitFieldRo:
      return bitfieldCommands.bitfield(commandId, argc);
    case Cmd.DelIfEq:
      return setCommands.delifeq();
    case Cmd.Copy:
      return renameCommands.copy(argc);
    case Cmd.Move:
      return renameCommands.move();
    case Cmd.Rename:
      return renameCommands.rename(false);
    case Cmd.RenameNx:
      return renameCommands.rename(true);
    case Cmd.Touch:
      return keyCommands.touch(argc);
    case Cmd.ObjectEncoding:
      return objectCommands.encoding();
    case Cmd.ObjectFreq:
      return objectCommands.freq();
    case Cmd.ObjectIdleTime:
      return objectCommands.idletime();
    case Cmd.ObjectRefCount:
      return objectCommands.refcount();
    case Cmd.MemoryUsage:
      return objectCommands.memoryUsage(argc);
    case Cmd.DebugObject:
      return debugCommands.debugObject();
    case Cmd.DebugDigest:
      return debugCommands.digest();
    case Cmd.DebugDigestValue:
      return debugCommands.digestValues(argc);
    case Cmd.DebugListpack:
      return debugCommands.debugListpack();
    case Cmd.DebugQuicklist:
      return debugCommands.debugQuicklist();
    case Cmd.DebugPopulate:
      return debugCommands.populate(argc);
    case Cmd.LPush:
      return listEnds.push(End.Front, false, argc);
    case Cmd.RPush:
      return listEnds.push(End.Back, false, argc);
    case Cmd.LPushX:
      return listEnds.push(End.Front, true, argc);
    case Cmd.RPushX:
      return listEnds.push(End.Back, true, argc);
    case Cmd.LPop:
      return listEnds.pop(End.Front, argc);
    case Cmd.RPop:
      return listEnds.pop(End.Back, argc);
    case Cmd.LLen:
      return listEnds.llen();
    case Cmd.LIndex:
      return listInside.lindex();
    case Cmd.LRange:
      return listInside.lrange();
    case Cmd.LSet:
      return listInside.lset();
    case Cmd.LInsert:
      return listInside.linsert();
    case Cmd.LRem:
      return listInside.lrem();
    case Cmd.LTrim:
      return listInside.ltrim();
    case Cmd.LPos:
      return listInside.lpos(argc);
    case Cmd.LMove:
      return listEnds.lmove();
    case Cmd.RPopLPush:
      return listEnds.move(End.Back, End.Front);
    case Cmd.LMPop:
      return listBlocking.lmpop(argc);
    case Cmd.BLPop:
      return listBlocking.popOrWait(End.Front, argc);
    case Cmd.BRPop:
      return listBlocking.popOrWait(End.Back, argc);
    case Cmd.BLMove:
      return listBlocking.blmove();
    case Cmd.BRPopLPush:
      return listBlocking.brpoplpush();
    case Cmd.BLMPop:
      return listBlocking.blmpop(argc);
    case Cmd.HSet:
      return hashCommands.hset(argc);
    case Cmd.HSetNx:
      return hashCommands.hsetnx();
    case Cmd.HMSet:
      return hashCommands.hmset(argc);
    case Cmd.HGet:
      return hashCommands.hget();
    case Cmd.HMGet:
      return hashCommands.hmget(argc);
    case Cmd.HGetAll:
      return hashCommands.hgetall();
    case Cmd.HKeys:
      return hashCommands.hkeys();
    case Cmd.HVals:
      return hashCommands.hvals();
    case Cmd.HLen:
      return hashCommands.hlen();
    case Cmd.HStrLen:
      return hashCommands.hstrlen();
    case Cmd.HExists:
      return hashCommands.hexists();
    case Cmd.HDel:
      return hashCommands.hdel(argc);
    case Cmd.HIncrBy:
      return hashCommands.hincrby();
    case Cmd.HIncrByFloat:
      return hashCommands.hincrbyfloat();
    case Cmd.HRandField:
      return hashRandom.hrandfield(argc);
    case Cmd.HScan:
      return hashRandom.hscan(argc);
    case Cmd.HExpire:
    case Cmd.HPExpire:
    case Cmd.HExpireAt:
    case Cmd.HPExpireAt:
      return hashDeadlines.hexpire(commandId, argc);
    case Cmd.HTtl:
      return hashDeadlines.httl(argc, true, true);
    case Cmd.HPTtl:
      return hashDeadlines.httl(argc, false, true);
    case Cmd.HExpireTime:
      return hashDeadlines.httl(argc, true, false);
    case Cmd.HPExpireTime:
      return hashDeadlines.httl(argc, false, false);
    case Cmd.HPersist:
      return hashDeadlines.hpersist(argc);
    case Cmd.HGetEx:
      return hashDeadlines.hgetex(argc);
    case Cmd.HSetEx:
      return hashDeadlines.hsetex(argc);
    case Cmd.HGetDel:
      return hashDeadlines.hgetdel(argc);
    case Cmd.SAdd:
      return setsCommands.sadd(argc);
    case Cmd.SRem:
      return setsCommands.srem(argc);
    case Cmd.SMove:
      return setsCommands.smove();
    case Cmd.SCard:
      return setsCommands.scard();
    case Cmd.SIsMember:
      return setsCommands.sismember();
    case Cmd.SMIsMember:
      return setsCommands.smismember(argc);
    case Cmd.SMembers:
      return setsCommands.smembers();
    case Cmd.SPop:
      return setsCommands.spop(argc);
    case Cmd.SRandMember:
      return setsCommands.srandmember(argc);
    case Cmd.SInter:
      return setAlgebra.combine(setAlgebra.Algebra.Intersect, argc);
    case Cmd.SUnion:
      return setAlgebra.combine(setAlgebra.Algebra.Unite, argc);
    case Cmd.SDiff:
      return setAlgebra.combine(setAlgebra.Algebra.Subtract, argc);
    case Cmd.SInterStore:
      return setAlgebra.combineAndStore(setAlgebra.Algebra.Intersect, argc);
    case Cmd.SUnionStore:
      return setAlgebra.combineAndStore(setAlgebra.Algebra.Unite, argc);
    case Cmd.SDiffStore:
      return setAlgebra.combineAndStore(setAlgebra.Algebra.Subtract, argc);
    case Cmd.SInterCard:
      return setAlgebra.sintercard(argc);
    case Cmd.SScan:
      return setsCommands.sscan(argc);
    case Cmd.PfAdd:
      return hyperLogLog.pfadd(argc);
    case Cmd.PfCount:
      return hyperLogLog.pfcount(argc);
    case Cmd.PfMerge:
      return hyperLogLog.pfmerge(argc);
    case Cmd.PfDebug:
      return hyperLogLog.pfdebug();
    case Cmd.Sort:
    case Cmd.SortRo:
      return sortCommand.sort(commandId, argc);
    case Cmd.PfSelfTest:
      return hyperLogLog.pfselftest();
    case Cmd.ZAdd:
      return sortedSets.zadd(argc);
    case Cmd.ZIncrBy:
      return sortedSets.zincrby(argc);
    case Cmd.ZRem:
      return sortedSets.zrem(argc);
    case Cmd.ZCard:
      return sortedSets.zcard();
    case Cmd.ZScore:
      return sortedSets.zscore();
    case Cmd.ZMScore:
      return sortedSets.zmscore(argc);
    case Cmd.ZRank:
      return sortedSets.zrank(argc, false);
    case Cmd.ZRevRank:
      return sortedSets.zrank(argc, true);
    case Cmd.ZRange:
      return sortedRange.zrange(argc, sortedRange.By.Any, sortedRange.Way.Any);
    case Cmd.ZRevRange:
      return sortedRange.zrange(argc, sortedRange.By.Rank, sortedRange.Way.Down);
    case Cmd.ZRangeByScore:
      return sortedRange.zrange(argc, sortedRange.By.Score, sortedRange.Way.Up);
    case Cmd.ZRevRangeByScore:
      return sortedRange.zrange(argc, sortedRange.By.Score, sortedRange.Way.Down);
    case Cmd.ZRangeByLex:
      return sortedRange.zrange(argc, sortedRange.By.Lex, sortedRange.Way.Up);
    case Cmd.ZRevRangeByLex:
      return sortedRange.zrange(argc, sortedRange.By.Lex, sortedRange.Way.Down);
    case Cmd.ZRangeStore:
      return sortedRange.zrangestore(argc);
    case Cmd.ZCount:
      return sortedRange.zcount(sortedRange.By.Score);
    case Cmd.ZLexCount:
      return sortedRange.zcount(sortedRange.By.Lex);
    case Cmd.ZRemRangeByRank:
      return sortedRange.zremrange(sortedRange.By.Rank);
    case Cmd.ZRemRangeByScore:
      return sortedRange.zremrange(sortedRange.By.Score);
    case Cmd.ZRemRangeByLex:
      return sortedRange.zremrange(sortedRange.By.Lex);
    case Cmd.ZPopMin:
      return sortedPop.zpop(argc, false);
    case Cmd.ZPopMax:
      return sortedPop.zpop(argc, true);
    case Cmd.ZMPop:
      return sortedPop.zmpop(argc);
    case Cmd.ZUnion:
      return sortedAlgebra.combine(setAlgebra.Algebra.Unite, argc);
    case Cmd.ZInter:
      return sortedAlgebra.combine(setAlgebra.Algebra.Intersect, argc);
    case Cmd.ZDiff:
      return sortedAlgebra.combine(setAlgebra.Algebra.Subtract, argc);
    case Cmd.ZUnionStore:
      return sortedAlgebra.combineAndStore(setAlgebra.Algebra.Unite, argc);
    case Cmd.ZInterStore:
      return sortedAlgebra.combineAndStore(setAlgebra.Algebra.Intersect, argc);
    case Cmd.ZDiffStore:
      return sortedAlgebra.combineAndStore(setAlgebra.Algebra.Subtract, argc);
    case Cmd.ZInterCard:
      return sortedAlgebra.zintercard(argc);
    case Cmd.ZRandMember:
      return sortedRandom.zrandmember(argc);
    case Cmd.ZScan:
      return sortedRandom.zscan(argc);
    case Cmd.BZPopMin:
      return sortedPop.bzpop(argc, false);
    case Cmd.BZPopMax:
      return sortedPop.bzpop(argc, true);
    case Cmd.BZMPop:
      return sortedPop.bzmpop(argc);
    case Cmd.GeoAdd:
      return geoCommands.geoadd(argc);
    case Cmd.GeoDist:
      return geoCommands.geodist(argc);
    case Cmd.GeoHash:
      return geoCommands.geohash(argc);
    case Cmd.GeoPos:
      return geoCommands.geopos(argc);
    case Cmd.GeoRadius:
      return geoSearch.geosearch(argc, geoSearch.GeoForm.Radius, false);
    case Cmd.GeoRadiusRo:
      return geoSearch.geosearch(argc, geoSearch.GeoForm.Radius, true);
    case Cmd.GeoRadiusByMember:
      return geoSearch.geosearch(argc, geoSearch.GeoForm.Member, false);
    case Cmd.GeoRadiusByMemberRo:
      return geoSearch.geosearch(argc, geoSearch.GeoForm.Member, true);
    case Cmd.GeoSearch:
      return geoSearch.geosearch(argc, geoSearch.GeoForm.Search, false);
    case Cmd.GeoSearchStore:
      return geoSearch.geosearch(argc, geoSearch.GeoForm.SearchStore, false);
    case Cmd.XAdd:
      return streamCommands.xadd(argc);
    case Cmd.XLen:
      return streamCommands.xlen();
    case Cmd.XRange:
      return streamCommands.xrange(argc, false);
    case Cmd.XRevRange:
      return streamCommands.xrange(argc, true);
    case Cmd.XDel:
      return streamCommands.xdel(argc);
    case Cmd.XTrim:
      return streamCommands.xtrim(argc);
    case Cmd.XSetId:
      return streamCommands.xsetid(argc);
    case Cmd.XRead:
      return streamRead.xread(argc);
    case Cmd.XReadGroup:
      return streamRead.xreadgroup(argc);
    case Cmd.XGroupCreate:
      return streamGroups.create(argc);
    case Cmd.XGroupSetId:
      return streamGroups.setid(argc);
    case Cmd.XGroupDestroy:
      return streamGroups.destroy();
    case Cmd.XGroupCreateConsumer:
      return streamGroups.createconsumer();
    case Cmd.XGroupDelConsumer:
      return streamGroups.delconsumer();
    case Cmd.XAck:
      return streamGroups.xack(argc);
    case Cmd.XPending:
      return streamGroups.xpending(argc);
    case Cmd.XClaim:
      return streamClaim.xclaim(argc);
    case Cmd.XAutoClaim:
      return streamClaim.xautoclaim(argc);
    case Cmd.XInfoStream:
      return streamInfo.stream(argc);
    case Cmd.XInfoGroups:
      return streamInfo.groups();
    case Cmd.XInfoConsumers:
      return streamInfo.consumers();
    default:
      return reply.error("ERR command is not known to the core");
  }
}
