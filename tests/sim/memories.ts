/**
 * Memories of processes that have ended serve again, emptied: making one takes longer than a short history, since the engine first
 * collects those that nobody uses any more.
 */
const RealMemory = WebAssembly.Memory;
const free: WebAssembly.Memory[] = [];

/** Until this is taken back, whoever makes a memory is given one of these. @returns what takes it back */
export function reuseMemories(): () => void {
  const taken: WebAssembly.Memory[] = [];
  function Reused(descriptor: WebAssembly.MemoryDescriptor): WebAssembly.Memory {
    const memory = free.pop();
    if (memory === undefined) {
      const made = new RealMemory(descriptor);
      taken.push(made);
      return made;
    }
    new Uint8Array(memory.buffer).fill(0);
    taken.push(memory);
    return memory;
  }
  WebAssembly.Memory = Reused as unknown as typeof WebAssembly.Memory;
  return () => {
    WebAssembly.Memory = RealMemory;
    free.push(...taken);
  };
}
