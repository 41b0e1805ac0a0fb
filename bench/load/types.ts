/** CPU per operation of the data types' commands: redis-benchmark's own tests, those that take away having something to take. */
import { type Alternation, COMPARISON_HEAD, compare, drive, type Load } from "./benchmark.ts";
import { frame, openPipe } from "./pipe.ts";
import { type Section, table } from "./report.ts";
import { type MeasuredServer, startServer } from "./server-process.ts";

const CLIENTS = 50;
const PIPELINES = [1, 16];
/** So that nearly all random members are distinct. */
const MANY_MEMBERS = 1_000_000_000;
const KEYS = 100_000;
const LIST = "bench:list";
const LIST_ELEMENTS = 1000;

type Kind = Pick<Load, "name" | "args" | "prepare">;

const test = (name: string, range: number): string[] => [
  "-t",
  name.toLowerCase(),
  "-r",
  String(range),
];

/** A test of elements under one key, which begins without it. */
function adding(name: string, key: string, range = MANY_MEMBERS): Kind {
  return { name, args: test(name, range), prepare: (server) => remove(server, key) };
}

/** A test that takes what `filler` has put under the key. */
function taking(name: string, key: string, filler: string): Kind {
  return {
    name,
    args: test(name, MANY_MEMBERS),
    async prepare(server, count) {
      await remove(server, key);
      const args = test(filler, MANY_MEMBERS);
      await drive(server, { clients: CLIENTS, pipeline: 64, args }, count);
    },
  };
}

/** LRANGE by its own words: redis-benchmark's test of it counts the pushes that make its list too. */
function reading(elements: number): Kind {
  return {
    name: `LRANGE_${elements}`,
    args: ["LRANGE", LIST, "0", String(elements - 1)],
    prepare: makeList,
  };
}

const KINDS: readonly Kind[] = [
  adding("SADD", "myset"),
  adding("HSET", "myhash", KEYS),
  adding("LPUSH", "mylist"),
  adding("RPUSH", "mylist"),
  taking("LPOP", "mylist", "RPUSH"),
  taking("RPOP", "mylist", "RPUSH"),
  taking("SPOP", "myset", "SADD"),
  adding("ZADD", "myzset", KEYS),
  taking("ZPOPMIN", "myzset", "ZADD"),
  { name: "MSET", args: test("MSET", KEYS) },
  ...[100, 300, 500, 600].map(reading),
  { name: "INCR", args: test("INCR", KEYS) },
];

async function remove(server: MeasuredServer, key: string): Promise<void> {
  const pipe = await openPipe(server.port);
  await pipe.ask("DEL", key);
  pipe.close();
}

async function makeList(server: MeasuredServer): Promise<void> {
  await remove(server, LIST);
  const pipe = await openPipe(server.port);
  await pipe.load(LIST_ELEMENTS, () => frame("RPUSH", LIST, "xxx"));
  pipe.close();
}

export interface TypesOptions extends Alternation {
  /** Names of tests; all if there are none. */
  tests: readonly string[];
}

/** @throws Error if a test is not known */
function chosen(tests: readonly string[]): readonly Kind[] {
  for (const test of tests)
    if (!KINDS.some(({ name }) => name === test))
      throw new Error(`--tests takes ${KINDS.map(({ name }) => name).join(", ")}; not "${test}"`);
  return tests.length === 0 ? KINDS : KINDS.filter(({ name }) => tests.includes(name));
}

export async function measureTypes(options: TypesOptions): Promise<Section> {
  const { tests } = options;
  const kinds = chosen(tests);
  const redis = await startServer("redis-server");
  const bundis = await startServer("bundis");
  const rows: string[][] = [];
  try {
    for (const kind of kinds)
      for (const pipeline of PIPELINES) {
        const load = { ...kind, name: `${kind.name} P=${pipeline}`, pipeline, clients: CLIENTS };
        const row = await compare(redis, bundis, load, options);
        console.log(row.join("  "));
        rows.push(row);
      }
  } finally {
    await redis.stop();
    await bundis.stop();
  }
  return {
    title: `CPU per operation of the data types${tests.length > 0 ? `: ${tests.join(", ")}` : ""}`,
    body: `redis-benchmark's tests, ${CLIENTS} clients, ${options.alternations} alternations of at least ${options.seconds} s. Pops find as many elements as they take; LRANGE reads a list of ${LIST_ELEMENTS} elements of 3 bytes.\n\n${table(COMPARISON_HEAD, rows)}`,
  };
}
