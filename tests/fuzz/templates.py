"""What is sent, by family: one template a line.

Literal words; {g} one generated value (values.py); [..] half the time; (a|b) one of; <..>+ 1-4 times; <..>* 0-3 times.
"""

T = {}
T["string"] = """
SET {s} {v}
SET {s} {v}
SET {s} {v} [(NX|XX)] [GET] [(EX {ttl}|PX {pttl}|EXAT {exat}|PXAT {pxat}|KEEPTTL)]
SET {s} {i}
GET {s}
GET {s}
GETSET {s} {v}
GETDEL {s}
GETEX {s} [(EX {ttl}|PX {pttl}|EXAT {exat}|PXAT {pxat}|PERSIST)]
SETNX {s} {v}
SETEX {s} {ttl} {v}
PSETEX {s} {pttl} {v}
APPEND {s} {v}
STRLEN {s}
INCR {s}
DECR {s}
INCRBY {s} {i}
DECRBY {s} {i}
INCRBYFLOAT {s} {fl}
SET {s} {fl}
SETRANGE {s} {soff} {v}
GETRANGE {s} {idx} {idx}
SUBSTR {s} {idx} {idx}
MSET <{s} {v}>+
MSETNX <{s} {v}>+
MGET <{s}>+
LCS {s} {s} [(LEN|IDX)] [MINMATCHLEN {i}] [WITHMATCHLEN]
LCS {s} {s} IDX [MINMATCHLEN {cnt}] [WITHMATCHLEN]
"""
T["bitops"] = """
SETBIT {b} {off} {bit}
SETBIT {b} {off} {bit}
GETBIT {b} {off}
BITCOUNT {b} [{idx} {idx} [(BYTE|BIT)]]
BITPOS {b} {bit} [{idx} [{idx} [(BYTE|BIT)]]]
BITOP (AND|OR|XOR) {b} <{b}>+
BITOP NOT {b} {b}
BITOP (AND|NOT|NAND) {b} {b} {s}
BITFIELD {b} <(GET {bft} {bfo}|SET {bft} {bfo} {i}|INCRBY {bft} {bfo} {i}|OVERFLOW (WRAP|SAT|FAIL|bad))>+
BITFIELD_RO {b} <GET {bft} {bfo}>+
BITFIELD_RO {b} SET {bft} {bfo} {i}
SET {b} {v}
GET {b}
"""
T["hash"] = """
HSET {h} <{f} {v}>+
HSET {h} <{f} {v}>+
HSET {h} <{f} {i}>+
HMSET {h} <{f} {v}>+
HSETNX {h} {f} {v}
HGET {h} {f}
HMGET {h} <{f}>+
HGETALL {h}
HKEYS {h}
HVALS {h}
HLEN {h}
HSTRLEN {h} {f}
HEXISTS {h} {f}
HDEL {h} <{f}>+
HINCRBY {h} {f} {i}
HINCRBYFLOAT {h} {f} {fl}
HRANDFIELD {h}
HRANDFIELD {h} {rcnt} [WITHVALUES]
HSCAN {h} 0 [MATCH {pat}] [COUNT {pi}]
"""
T["list"] = """
RPUSH {l} <{v}>+
LPUSH {l} <{v}>+
RPUSH {l} <{sv}>+
LPUSHX {l} <{v}>+
RPUSHX {l} <{v}>+
LPOP {l} [{cnt}]
RPOP {l} [{cnt}]
LLEN {l}
LINDEX {l} {idx}
LRANGE {l} {idx} {idx}
LRANGE {l} 0 -1
LSET {l} {idx} {v}
LINSERT {l} (BEFORE|AFTER|before|bad) {sv} {v}
LREM {l} {idx} {sv}
LTRIM {l} {idx} {idx}
LPOS {l} {sv} [RANK {idx}] [COUNT {cnt}] [MAXLEN {cnt}]
RPOPLPUSH {l} {l}
LMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT)
LMOVE {l} {l} (LEFT|RIGHT) bad
LMPOP 1 {l} (LEFT|RIGHT) [COUNT {cnt}]
LMPOP {pi} {l} {l} (LEFT|RIGHT|bad) [COUNT {cnt}]
"""
T["set"] = """
SADD {t} <{m}>+
SADD {t} <{im}>+
SADD {t} <{m}>+
SREM {t} <{m}>+
SISMEMBER {t} {m}
SMISMEMBER {t} <{m}>+
SCARD {t}
SMEMBERS {t}
SINTER <{t}>+
SUNION <{t}>+
SDIFF <{t}>+
SINTERSTORE {t} <{t}>+
SUNIONSTORE {t} <{t}>+
SDIFFSTORE {t} <{t}>+
SINTERCARD 2 {t} {t} [LIMIT {cnt}]
SINTERCARD {pi} <{t}>+ [LIMIT {cnt}]
SMOVE {t} {t} {m}
SRANDMEMBER {t} [{rcnt}]
SPOP {t} 1000000
SPOP {t} (0|-1|abc)
SSCAN {t} 0 [MATCH {pat}] [COUNT {pi}]
"""
T["zset"] = """
ZADD {z} <{sc} {m}>+
ZADD {z} <{sc} {m}>+
ZADD {z} [(NX|XX)] [(GT|LT)] [CH] <{sc} {m}>+
ZADD {z} [(NX|XX)] [CH] INCR {sc} {m}
ZREM {z} <{m}>+
ZSCORE {z} {m}
ZMSCORE {z} <{m}>+
ZCARD {z}
ZINCRBY {z} {sc} {m}
ZRANK {z} {m}
ZREVRANK {z} {m}
ZCOUNT {z} {rng} {rng}
ZLEXCOUNT {y} {lex} {lex}
ZRANGE {z} {idx} {idx} [REV] [WITHSCORES]
ZRANGE {z} 0 -1 WITHSCORES
ZRANGE {z} {rng} {rng} BYSCORE [REV] [LIMIT {idx} {idx}] [WITHSCORES]
ZRANGE {y} {lex} {lex} BYLEX [REV] [LIMIT {idx} {idx}]
ZADD {y} <0 {m}>+
ZADD {y} <0 {m}>+
ZREM {y} <{m}>+
DEL {y}
ZRANGE {y} 0 -1 WITHSCORES
ZRANGESTORE {y} {y} {lex} {lex} BYLEX [REV] [LIMIT {idx} {idx}]
ZRANGE {z} {idx} {idx} [BYSCORE] [BYLEX] [LIMIT 0 5]
ZREVRANGE {z} {idx} {idx} [WITHSCORES]
ZRANGEBYSCORE {z} {rng} {rng} [WITHSCORES] [LIMIT {idx} {idx}]
ZREVRANGEBYSCORE {z} {rng} {rng} [WITHSCORES] [LIMIT {idx} {idx}]
ZRANGEBYLEX {y} {lex} {lex} [LIMIT {idx} {idx}]
ZREVRANGEBYLEX {y} {lex} {lex} [LIMIT {idx} {idx}]
ZRANGESTORE {z} {z} {idx} {idx} [REV]
ZRANGESTORE {z} {z} {rng} {rng} BYSCORE [REV] [LIMIT {idx} {idx}]
ZREMRANGEBYRANK {z} {idx} {idx}
ZREMRANGEBYSCORE {z} {rng} {rng}
ZREMRANGEBYLEX {y} {lex} {lex}
ZPOPMIN {z} [{cnt}]
ZPOPMAX {z} [{cnt}]
ZMPOP 1 {z} (MIN|MAX) [COUNT {cnt}]
ZMPOP {pi} {z} {z} (MIN|MAX|bad) [COUNT {cnt}]
ZUNIONSTORE {z} 2 {z} {z} [WEIGHTS {fl} {fl}] [AGGREGATE (SUM|MIN|MAX|bad)]
ZINTERSTORE {z} 2 {z} {t} [WEIGHTS {fl} {fl}] [AGGREGATE (SUM|MIN|MAX)]
ZDIFFSTORE {z} 2 {z} {z}
ZUNION {pi} {z} {z} [WITHSCORES]
ZUNION 2 {z} {t} [WEIGHTS {fl} {fl}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
ZINTER 2 {z} {z} [WEIGHTS {fl} {fl}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
ZDIFF 2 {z} {z} [WITHSCORES]
ZINTERCARD 2 {z} {z} [LIMIT {cnt}]
ZRANDMEMBER {z}
ZRANDMEMBER {z} {rcnt} [WITHSCORES]
ZSCAN {z} 0 [MATCH {pat}] [COUNT {pi}]
"""
T["stream"] = """
XADD {x} [NOMKSTREAM] {addid} <{f} {sv}>+
XADD {x} {addid} <{f} {v}>+
XADD {x} {addid} <{f} {sv}>+
XADD {x} (MAXLEN|MINID) [(=|~)] {i} {addid} {f} {sv}
XADD {x} MAXLEN ~ {i} LIMIT {cnt} {addid} {f} {sv}
XLEN {x}
XRANGE {x} {rs} {re} [COUNT {cnt}]
XRANGE {x} - +
XREVRANGE {x} {re} {rs} [COUNT {cnt}]
XDEL {x} <{sid}>+
XTRIM {x} MAXLEN [=] {i}
XTRIM {x} MINID [=] {sid}
XREAD [COUNT {cnt}] STREAMS {x} {sid}
XREAD [COUNT {cnt}] STREAMS {x} {x} {sid} (0|$)
XREAD COUNT 2 STREAMS {x} {x} {sid}
XGROUP CREATE {x} {grp} ($|0|{sid}) [MKSTREAM] [ENTRIESREAD {i}]
XGROUP CREATE {x} {grp} 0 MKSTREAM
XGROUP SETID {x} {grp} ($|0|{sid}) [ENTRIESREAD {i}]
XGROUP DESTROY {x} {grp}
XGROUP CREATECONSUMER {x} {grp} {con}
XGROUP DELCONSUMER {x} {grp} {con}
XGROUP bad {x} {grp}
XREADGROUP GROUP {grp} {con} [COUNT {cnt}] [NOACK] STREAMS {x} >
XREADGROUP GROUP {grp} {con} [COUNT {cnt}] STREAMS {x} >
XREADGROUP GROUP {grp} {con} [COUNT {cnt}] STREAMS {x} {sid}
XACK {x} {grp} <{sid}>+
XPENDING {x} {grp}
XPENDING {x} {grp} [IDLE 0] {rs} {re} {cnt} [{con}]
XCLAIM {x} {grp} {con} 0 <{sid}>+ [(IDLE 0|TIME 1000|RETRYCOUNT {i})] [FORCE] [JUSTID] [LASTID {sid}]
XAUTOCLAIM {x} {grp} {con} (0|0|0|9999999999|abc) {rs} [COUNT {cnt}] [JUSTID]
XINFO STREAM {x}
XINFO STREAM {x} FULL [COUNT {cnt}]
XINFO GROUPS {x}
XINFO CONSUMERS {x} {grp}
XSETID {x} {sid} [ENTRIESADDED {i}] [MAXDELETEDID {sid}]
"""
T["hll"] = """
PFADD {p} <{m}>*
PFADD {p} <{v}>+
PFCOUNT <{p}>+
PFMERGE {p} <{p}>*
PFCOUNT {s}
GET {p}
"""
T["geo"] = """
GEOADD {g} [(NX|XX)] [CH] <{lon} {lat} {m}>+
GEOADD {g} <{lon} {lat} {m}>+
GEOPOS {g} <{m}>*
GEOHASH {g} <{m}>*
GEODIST {g} {m} {m} [{unit}]
GEOSEARCH {g} FROMMEMBER {m} BYRADIUS {rad} {unit} [(ASC|DESC)] [WITHCOORD] [WITHDIST] [WITHHASH]
GEOSEARCH {g} FROMLONLAT {lon} {lat} BYRADIUS {rad} {unit} (ASC|DESC) [COUNT {cnt}] [WITHDIST]
GEOSEARCH {g} FROMLONLAT {lon} {lat} BYBOX {rad} {rad} {unit} (ASC|DESC) [COUNT {cnt}] [WITHCOORD] [WITHHASH]
GEOSEARCHSTORE {z} {g} FROMLONLAT {lon} {lat} BYRADIUS {rad} {unit} [(ASC|DESC)] [COUNT {cnt}] [STOREDIST]
GEORADIUS {g} {lon} {lat} {rad} {unit} [WITHDIST] [WITHCOORD] [WITHHASH] [COUNT {cnt}] (ASC|DESC)
GEORADIUS {g} {lon} {lat} {rad} {unit} STORE {z}
GEORADIUSBYMEMBER {g} {m} {rad} {unit} [WITHDIST] (ASC|DESC)
GEORADIUS_RO {g} {lon} {lat} {rad} {unit} ASC
GEORADIUSBYMEMBER_RO {g} {m} {rad} {unit} DESC
ZRANGE {g} 0 -1 WITHSCORES
"""
T["keys"] = """
DEL <{k}>+
UNLINK <{k}>+
EXISTS <{k}>+
TYPE {k}
TYPE {k}
TOUCH <{k}>+
RENAME {k} {k}
RENAMENX {k} {k}
COPY {k} {k} [DB {db}] [REPLACE]
KEYS {pat}
DBSIZE
RANDOMKEY
EXPIRE {k} {ttl} [(NX|XX|GT|LT)]
EXPIRE {k} {ttl} NX GT
PEXPIRE {k} {pttl} [(NX|XX|GT|LT)]
EXPIREAT {k} {exat} [(NX|XX|GT|LT)]
PEXPIREAT {k} {pxat} [(NX|XX|GT|LT)]
TTL {k}
PTTL {k}
EXPIRETIME {k}
PEXPIRETIME {k}
PERSIST {k}
MOVE {k} {db}
SWAPDB {db} {db}
SELECT {db}
SCAN 0 [MATCH {pat}] [COUNT {pi}] [TYPE (string|list|hash|zset|set|stream|bad)]
FLUSHDB [(ASYNC|SYNC|bad)]
MEMORY USAGE {k} [SAMPLES {cnt}]
"""
T["object"] = """
OBJECT ENCODING {k}
OBJECT ENCODING {k}
OBJECT ENCODING {s}
OBJECT ENCODING {h}
OBJECT ENCODING {z}
OBJECT ENCODING {t}
OBJECT ENCODING {l}
OBJECT REFCOUNT {k}
OBJECT IDLETIME {k}
OBJECT FREQ {k}
OBJECT bad {k}
OBJECT HELP
"""
T["sort"] = """
SORT {l} [LIMIT {idx} {idx}] [(ASC|DESC)] [ALPHA] [STORE {l}]
SORT {l} ALPHA
SORT {t} ALPHA [(ASC|DESC)] [LIMIT 0 {cnt}]
SORT {z} ALPHA [(ASC|DESC)]
SORT {z} BY nosort [(ASC|DESC)] [LIMIT {idx} {idx}]
SORT {l} BY str* [GET str*] [GET #] [(ASC|DESC)]
SORT {l} BY nosort GET # GET hash*->f1 GET str*
SORT {l} BY hash*->f1 [ALPHA] GET #
SORT_RO {l} [ALPHA] [LIMIT 0 {cnt}]
SORT_RO {l} STORE {l}
RPUSH {l} <{i}>+
SADD {t} <{im}>+
"""
T["script"] = """
EVAL return 0
SCRIPT EXISTS <{sha}>+
EVALSHA {sha} {pi} {k}
EVALSHA_RO {sha} 0
SCRIPT bad
FUNCTION bad
FCALL nofunc 0
FCALL myget 1 {s}
FCALL myset 1 {s} {v}
FCALL_RO myget 1 {s}
FCALL_RO myset 1 {s} {v}
FUNCTION LIST
FUNCTION LIST LIBRARYNAME (mylib|other) [WITHCODE]
FUNCTION DELETE (mylib|other)
"""
T["server"] = """
PING
PING {v}
ECHO {v}
COMMAND GETKEYS SET {s} {v}
COMMAND GETKEYS MSET <{s} {v}>+
COMMAND GETKEYS EVAL x {pi} {k} {k}
COMMAND GETKEYS ZUNIONSTORE {z} {pi} {z} {z}
COMMAND GETKEYS XREADGROUP GROUP g c STREAMS {x} {x} > >
COMMAND GETKEYS SORT {l} BY w* STORE {l}
COMMAND GETKEYS GET
COMMAND GETKEYS PING
COMMAND GETKEYS nosuch
COMMAND GETKEYSANDFLAGS LMOVE {l} {l} LEFT LEFT
COMMAND bad
CLIENT GETNAME
CLIENT SETNAME (a|b|bad\x01name|conn1)
CLIENT bad
CLIENT NO-EVICT (on|off|bad)
CONFIG GET maxmemory-policy
CONFIG GET nosuchparam
CONFIG bad
HELLO {ver}
TIME
LASTSAVE bad
PUBLISH {ch} {v}
PUBSUB NUMSUB <{ch}>*
PUBSUB CHANNELS {pat}
PUBSUB NUMPAT
PUBSUB bad
WAIT 0 1
nosuchcommand {v} {v}
get
OBJECT
XINFO
LOLWUT VERSION 1 1
SUBSCRIBE
MULTI x
UNWATCH
DISCARD
EXEC
RESET x
DEBUG
ACL WHOAMI
ACL bad
ACL CAT nosuchcat
ACL GENPASS abc
LATENCY bad
SLOWLOG bad
SLOWLOG GET abc
MEMORY bad
READONLY x
ASKING x
CLUSTER bad x
FAILOVER x x
CLIENT KILL (127.0.0.1:1|bad|1.2.3.4:99999)
CLIENT KILL ID (abc|0|-1|99999999)
CLIENT KILL (TYPE|ADDR|LADDR|USER|SKIPME) bad
CLIENT KILL ID 99999999 (TYPE normal|ADDR 1.2.3.4:5|LADDR 1.2.3.4:5|USER default|SKIPME yes|SKIPME bad|MAXAGE)
CLIENT KILL bad x y z
CLIENT LIST bad
CLIENT LIST TYPE (bad|pubsub)
CLIENT LIST ID (abc|99999999)
CLIENT LIST ID
CLIENT REPLY bad
CLIENT PAUSE (abc|-1)
CLIENT PAUSE 0 bad
CLIENT UNPAUSE
CLIENT UNBLOCK (99999999|abc) [(TIMEOUT|ERROR|bad)]
CLIENT TRACKINGINFO
CLIENT GETREDIR
CLIENT CACHING (YES|NO|bad)
CLIENT TRACKING (OFF|bad)
CLIENT SETNAME
CLIENT GETNAME x
CLIENT ID x
CONFIG SET nosuchparam 1
CONFIG SET maxmemory-policy bad
CONFIG SET maxmemory (abc|-1|1zb)
CONFIG SET hz abc
CONFIG SET maxmemory-samples (0|abc|5)
CONFIG SET maxmemory-samples 5 maxmemory-samples 6
CONFIG SET maxmemory-samples 5 lfu-decay-time (-1|1)
CONFIG SET slowlog-max-len
CONFIG SET bind-source-addr
CONFIG SET databases 3
CONFIG SET appendfsync (bad|everysec)
CONFIG SET notify-keyspace-events (bad|KEA|)
CONFIG GET maxmemory-policy hz maxmemory-samples
CONFIG GET notify-keyspace-events
CONFIG GET (slowlog-max-len|lfu-*|hash-max-listpack-*|maxmemory-s?mples|[m]axmemory-samples)
CONFIG GET
CONFIG RESETSTAT x
CONFIG REWRITE x
SELECT {db}
COMMAND INFO nosuch
COMMAND INFO (get|set|mget|expire|del|object|config|client|multi|exec|bitfield|copy|scan|swapdb|sort)
COMMAND INFO (config|get|object|freq|bad|get)
COMMAND LIST FILTERBY (bad x|ACLCAT nosuchcat|MODULE nosuch|PATTERN xgroup*)
COMMAND COUNT x
COMMAND DOCS nosuch
COMMAND GETKEYS (GET|DEL|EXISTS) <{s}>+
COMMAND GETKEYS BITOP AND {b} {b} {b}
COMMAND GETKEYS (OBJECT ENCODING|OBJECT|MEMORY USAGE) {s}
COMMAND GETKEYS COPY {s} {s}
COMMAND GETKEYSANDFLAGS (SET {s} {v}|MSET {s} {v} {s} {v}|GETDEL {s}|RENAME {s} {s}|BITOP NOT {b} {b}|EXPIRE {s} 10|COPY {s} {s}|SET {s} {v} GET)
AUTH (bad|default bad|default|a b c)
SWAPDB (a|0) (b|99)
LATENCY (RESET nosuch|HISTORY nosuch|GRAPH nosuch|LATEST)
LATENCY HISTOGRAM nosuch
SLOWLOG (LEN x|RESET x|GET -2|GET abc 1)
MEMORY (USAGE {s} SAMPLES|USAGE {s} SAMPLES -1|USAGE {s} bad 1|USAGE|DOCTOR x)
DBSIZE x
FLUSHALL (bad|SYNC|ASYNC|SYNC x)
LASTSAVE x
TIME x
ROLE x
REPLICAOF NO
DEBUG (nosuch|SLEEP|OBJECT|SLEEP 0|JMAP)
INFO nosuchsection
LOLWUT VERSION 99
HELLO (3|2) (SETNAME|AUTH|AUTH a|SETNAME bad\x01|bad)
RESET
MONITOR x
WAIT (a|0) (b|-1)
ACL (USERS|LIST|WHOAMI x|GETUSER nosuch|DELUSER nosuch|CAT bad)
FUNCTION (LIST|FLUSH bad|STATS x)
SCRIPT (EXISTS|FLUSH bad|KILL)
SHUTDOWN (bad|NOSAVE SAVE|NOW bad)
SLAVEOF NO
SYNC x
PSYNC x
MODULE (LIST|bad|UNLOAD nosuch)
OBJECT (FREQ|IDLETIME|ENCODING) nosuch1
OBJECT (bad|HELP x)
PFDEBUG
PFSELFTEST x
RESTORE-ASKING x
"""
T["blocking"] = """
BLPOP <{l}>+ {bto}
BRPOP <{l}>+ {bto}
BLMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT) {bto}
BRPOPLPUSH {l} {l} {bto}
BLMPOP {bto} 1 {l} (LEFT|RIGHT) [COUNT {cnt}]
BLMPOP {bto} 2 {l} {l} (LEFT|RIGHT|bad)
BZPOPMIN <{z}>+ {bto}
BZPOPMAX <{z}>+ {bto}
BZMPOP {bto} 1 {z} (MIN|MAX) [COUNT {cnt}]
XREAD BLOCK 5 COUNT 2 STREAMS {x} {sid}
XREAD BLOCK (-1|abc) STREAMS {x} {sid}
XREADGROUP GROUP {grp} {con} BLOCK 5 STREAMS {x} >
RPUSH {l} <{v}>+
RPUSH {l} <{v}>+
ZADD {z} <{sc} {m}>+
XADD {x} {addid} <{f} {sv}>+
"""
