import { Redis } from "ioredis";
import { exercise } from "./exercise.ts";

exercise("ioredis", async (port, protocol) => {
  const client = new Redis({
    port,
    protocol,
    lazyConnect: true,
    enableAutoPipelining: true,
    retryStrategy: () => 20,
  });
  // It reports a lost connection here too; the commands' own promises tell enough.
  client.on("error", () => {});
  await client.connect();
  return {
    set: (key, value) => client.set(key, value),
    get: (key) => client.getBuffer(key),
    command: (name, ...words) => client.call(name!, ...words),
    close: () => client.disconnect(),
  };
});
