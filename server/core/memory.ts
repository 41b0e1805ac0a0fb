/**
 * The only owner of views on the core's linear memory.
 *
 * The fixed areas (State, IO block, argv table, input, output, effects) lie below 16 MiB and the memory is shared, so
 * the views made here stay valid for ever: growth leaves old views usable for old offsets. Heap addresses can lie
 * beyond them and beyond 2 GiB, where a typed array index is slow; they are reached through small views of their own.
 */
import { Address, INITIAL_PAGES, MAXIMUM_PAGES } from "../../core-wasm/abi.ts";

export interface CoreMemory {
  readonly memory: WebAssembly.Memory;
  /** Views on everything below the heap. */
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly i32: Int32Array<ArrayBuffer>;
  readonly f64: Float64Array<ArrayBuffer>;
  readonly words: DataView<ArrayBuffer>;
  /** A borrowed view of `length` bytes at any address, valid until the next call into the core. */
  bytes(ptr: number, length: number): Uint8Array<ArrayBuffer>;
}

/** Masks the first `count` bytes of a word as `words` reads it: none below 1, all from 4 on. */
export function firstBytes(count: number): number {
  if (count >= 4) return -1;
  return count <= 0 ? 0 : (1 << (count << 3)) - 1;
}

/**
 * Reserves 4 GiB of address space and commits 32 MiB.
 * @throws Error with an explanation where the address space is limited (`ulimit -v`).
 */
export function createMemory(): CoreMemory {
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({
      initial: INITIAL_PAGES,
      maximum: MAXIMUM_PAGES,
      shared: true,
    } as WebAssembly.MemoryDescriptor);
  } catch (cause) {
    throw new Error(
      "cannot reserve 4 GiB of address space for the keyspace: lift the virtual memory limit (ulimit -v unlimited)",
      { cause },
    );
  }
  // TypeScript refuses views on shared memory in many signatures that accept them at run time: this is the one cast.
  const bufferOf = () => memory.buffer as unknown as ArrayBuffer;
  let buffer = bufferOf();
  return {
    memory,
    u8: new Uint8Array(buffer, 0, Address.Heap),
    i32: new Int32Array(buffer, 0, Address.Heap >> 2),
    f64: new Float64Array(buffer, 0, Address.Heap >> 3),
    words: new DataView(buffer, 0, Address.Heap),
    bytes(ptr, length) {
      const start = ptr >>> 0;
      if (start + length > buffer.byteLength) buffer = bufferOf();
      return new Uint8Array(buffer, start, length);
    },
  };
}
