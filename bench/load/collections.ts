/**
 * Resident bytes of collections, against redis-server: the slope between half and whole of each load, so that what a server
 * holds without any data does not count. As many requests as the load has come first and store nothing: what a runtime's own heap
 * grows by with traffic does not count either (a million elements of a list are 12 MB, a warm heap moves by a few 100 KB).
 */
import { frame, openPipe } from "./pipe.ts";
import { type Section, table } from "./report.ts";
import { type MeasuredServer, type ServerName, startServer } from "./server-process.ts";

interface Shape {
  name: string;
  /** Collections, and elements in each. */
  keys: number;
  elements: number;
  /** Most that Bundis may take of what redis-server takes. */
  target: number;
  /** Words that add `count` elements from the `from`-th on to a key. */
  add(key: string, from: number, count: number): string;
}

export interface CollectionsOptions {
  /** Shapes are divided by this. */
  scale: number;
  idleMs: number;
}

/** Elements that one command adds. */
const CHUNK = 50;

/** Ten bytes that are no number. */
function element(index: number): string {
  return `e${String(index).padStart(9, "0")}`;
}

function elements(from: number, count: number, of: (index: number) => (string | number)[]) {
  return Array.from({ length: count }, (_, i) => of(from + i)).flat();
}

const hash: Shape["add"] = (key, from, count) =>
  frame("HSET", key, ...elements(from, count, (index) => [element(index), element(index)]));
const list: Shape["add"] = (key, from, count) =>
  frame("RPUSH", key, ...elements(from, count, (index) => [element(index)]));
const set: Shape["add"] = (key, from, count) =>
  frame("SADD", key, ...elements(from, count, (index) => [element(index)]));
const sorted: Shape["add"] = (key, from, count) =>
  frame("ZADD", key, ...elements(from, count, (index) => [index, element(index)]));

const MANY = 100_000;
const MILLION = 1_000_000;
const SHAPES: readonly Shape[] = [
  { name: "hashes of 10", keys: MANY, elements: 10, target: 1, add: hash },
  { name: "lists of 50", keys: MANY, elements: 50, target: 1, add: list },
  { name: "sets of 20", keys: MANY, elements: 20, target: 0.9, add: set },
  { name: "sorted sets of 20", keys: MANY, elements: 20, target: 0.9, add: sorted },
  { name: "list of a million", keys: 1, elements: MILLION, target: 1, add: list },
  { name: "sorted set of a million", keys: 1, elements: MILLION, target: 0.8, add: sorted },
  { name: "hash of a million", keys: 1, elements: MILLION, target: 0.8, add: hash },
  { name: "set of a million", keys: 1, elements: MILLION, target: 0.8, add: set },
];

/** Commands that make a share of a shape, by number: many keys, or chunks of one. */
function commandOf(shape: Shape, index: number): string {
  if (shape.keys > 1)
    return shape.add(
      `k:${String(index).padStart(10, "0")}`,
      index * shape.elements,
      shape.elements,
    );
  return shape.add("one", index * CHUNK, CHUNK);
}

async function residentAfter(
  server: MeasuredServer,
  shape: Shape,
  from: number,
  to: number,
  idleMs: number,
): Promise<number> {
  const pipe = await openPipe(server.port);
  await pipe.load(to - from, (index) => commandOf(shape, from + index));
  pipe.close();
  await Bun.sleep(idleMs);
  return server.residentBytes();
}

/** Requests as large as those of a load, about keys that are not there. */
async function warmUp(server: MeasuredServer, requests: number): Promise<void> {
  const pipe = await openPipe(server.port);
  await pipe.load(requests, (index) =>
    frame("EXISTS", ...elements(index * CHUNK, CHUNK, (of) => [element(of)])),
  );
  pipe.close();
}

/** @returns resident bytes per element, between half and whole of the load */
async function slopeOf(name: ServerName, shape: Shape, options: CollectionsOptions) {
  const server = await startServer(name);
  try {
    const whole = (shape.keys > 1 ? shape.keys : shape.elements / CHUNK) / options.scale;
    const half = whole / 2;
    await warmUp(server, whole);
    const atHalf = await residentAfter(server, shape, 0, half, options.idleMs);
    const atWhole = await residentAfter(server, shape, half, whole, options.idleMs);
    return (atWhole - atHalf) / (half * (shape.keys > 1 ? shape.elements : CHUNK));
  } finally {
    await server.stop();
  }
}

export async function measureCollections(options: CollectionsOptions): Promise<Section> {
  const rows: string[][] = [];
  for (const shape of SHAPES) {
    // Memory is not disturbed by who else runs: both at once.
    const slopes = [slopeOf("redis-server", shape, options), slopeOf("bundis", shape, options)];
    const [redis, bundis] = (await Promise.all(slopes)) as [number, number];
    const ratio = `x${(bundis / redis).toFixed(2)}`;
    const row = [shape.name, redis.toFixed(1), bundis.toFixed(1), ratio, `x${shape.target}`];
    console.log(row.join("  "));
    rows.push(row);
  }
  const head = ["shape", "redis bytes/element", "Bundis bytes/element", "ratio", "at most"];
  return {
    title: "Memory of collections",
    body: `10-byte elements that are no numbers (values of hashes likewise), loaded through a pipeline behind as many requests that store nothing, log off; VmRSS after ${options.idleMs / 1000} s idle, the slope between half and whole of ${MANY / options.scale} keys or ${MILLION / options.scale} elements.\n\n${table(head, rows)}`,
  };
}
