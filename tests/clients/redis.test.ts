import { createClient, RESP_TYPES } from "redis";
import { exercise } from "./exercise.ts";

exercise("node-redis", async (port, protocol) => {
  const client = createClient({
    RESP: protocol,
    socket: { port, host: "127.0.0.1", reconnectStrategy: 20 },
  });
  client.on("error", () => {});
  await client.connect();
  const asBuffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    set: (key, value) => client.set(key, value),
    get: async (key) => (await asBuffers.get(key)) as Buffer | null,
    command: (...words) => client.sendCommand(words),
    close: () => client.destroy(),
  };
});
