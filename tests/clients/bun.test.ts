import { RedisClient } from "bun";
import { exercise } from "./exercise.ts";

exercise("Bun's RedisClient", async (port, protocol) => {
  const client = new RedisClient(`redis://127.0.0.1:${port}`, { maxRetries: 200 });
  await client.connect();
  // It greets with HELLO 3 whatever it is told, after a reconnection too; it reads either protocol.
  if (protocol === 2) await client.send("HELLO", ["2"]);
  return {
    set: (key, value) => client.set(key, value),
    get: async (key) => {
      const value = await client.getBuffer(key);
      return value === null ? null : Buffer.from(value);
    },
    command: (name, ...words) => client.send(name!, words),
    close: () => client.close(),
  };
});
