/** What each write adds to rdb_changes_since_last_save, the same on Bundis and on a reference server. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { freePort } from "../support/server-process.ts";

/** Run in this order on one database. */
const COMMANDS = `
SET a 1
SETNX a 2
APPEND a x
MSET b 1 c 2 d 3
MSETNX b 1 e 2
DEL b c nope
INCR n
INCRBYFLOAT n 1.5
SETRANGE r 3 abc
GETDEL d
SETBIT bits 7 1
BITFIELD bits SET u8 0 1 INCRBY u8 8 1
BITOP NOT bits2 bits
EXPIRE a 100
PERSIST a
RENAME a a2
COPY a2 a3
MOVE a3 5
SADD s a b c d e
SADD s a b x y
SREM s a b nope
SMOVE s s2 c
SMOVE s2 s c
SPOP s
SPOP s 2
SADD s 1 2 3
SPOP s 100
SADD s q w e
SUNIONSTORE s3 s
SINTERSTORE s3 s nokey
SDIFFSTORE s4 s nokey
SREM s q w e
HSET h a 1 b 2 c 3
HSET h a 1 d 4
HMSET h a 5 z 6
HSETNX h a 1
HINCRBY h a 2
HINCRBYFLOAT h a 1.5
HDEL h a b nope
HDEL h c d z
RPUSH l a b c d e f
LPUSH l x y
RPUSHX l z
LPUSHX nokey z
LINSERT l BEFORE a q
LSET l 0 w
LREM l 0 w
LTRIM l 1 5
LPOP l
LPOP l 2
RPOP l 100
RPUSH l a b
LMOVE l l2 LEFT RIGHT
RPOPLPUSH l l2
LMPOP 1 l2 LEFT COUNT 5
ZADD z 1 a 2 b 3 c 4 d 5 e
ZADD z 1 a 9 b 7 q
ZADD z XX CH 5 a 6 zz
ZINCRBY z 2 a
ZREM z a nope
ZPOPMIN z
ZPOPMAX z 2
ZADD z 1 a 2 b 3 c 4 d 5 e
ZREMRANGEBYRANK z 0 1
ZREMRANGEBYSCORE z 3 3
ZRANGESTORE zz z 0 -1
ZUNIONSTORE zu 2 z zz
ZINTERSTORE zi 2 z nokey
ZDIFFSTORE zd 1 z
ZMPOP 1 z MIN COUNT 10
GEOADD g 13.3 38.1 P 15 37 C
GEOSEARCHSTORE g2 g FROMMEMBER P BYRADIUS 500 km
GEORADIUS g 15 37 500 km STORE g3
XADD x 1-1 a b
XADD x MAXLEN 1 2-1 a b
XADD x 3-1 a b
XADD x 4-1 a b
XGROUP CREATE x gr 0
XREADGROUP GROUP gr c COUNT 2 STREAMS x >
XACK x gr 2-1 3-1
XCLAIM x gr c 0 3-1
XDEL x 2-1 3-1
XTRIM x MAXLEN 0
XSETID x 9-1
XGROUP DESTROY x gr
PFADD p a b c
PFADD p a
PFMERGE p2 p
PFCOUNT p
SORT l2 STORE l3
RPUSH so 3 1 2
SORT so STORE so2
UNLINK so so2
FLUSHDB
SET k v
FLUSHALL
SWAPDB 0 1
GETEX k EX 10
SET k v EX 10
GETEX k PERSIST
GETSET k v2
`
  .trim()
  .split("\n");

describe.skipIf(REFERENCE_PATH === null)("changes are counted as the reference does", () => {
  let server: RunningServer;
  let reference: Reference;
  let ours: Connection;
  let theirs: Connection;

  const changes = async (client: Connection) =>
    Number(/rdb_changes_since_last_save:(\d+)/.exec(await client.raw("INFO", "persistence"))![1]);

  beforeAll(async () => {
    server = await startServer({ config: { appendonly: "no", save: "" } });
    reference = await startReference(freePort());
    ours = await openConnection(server.port);
    theirs = await reference.connect();
  });
  afterAll(async () => {
    ours.close();
    theirs.close();
    await server.close();
    await reference.stop();
  });

  test.each(COMMANDS)("%s", async (command) => {
    const counted: number[] = [];
    for (const client of [ours, theirs]) {
      const before = await changes(client);
      await client.raw(...command.split(" "));
      counted.push((await changes(client)) - before);
    }
    expect(counted[0]).toBe(counted[1]!);
  });
});
