import { beforeEach, expect, test } from "bun:test";
import { ClientRegistry } from "../../../server/client/registry.ts";
import { Admission } from "../../../server/net/admission.ts";
import type { ServingParts } from "../../../server/net/connection.ts";
import type { SocketLink } from "../../../server/net/listener.ts";

let settings: { maxClients: number; isProtected: boolean; needsPassword: boolean };
let clients: ClientRegistry;
const stats = { connectionsReceived: 0, connectionsRejected: 0 };
let admission: Admission;
beforeEach(() => {
  settings = { maxClients: 2, isProtected: false, needsPassword: false };
  clients = new ClientRegistry();
  Object.assign(stats, { connectionsReceived: 0, connectionsRejected: 0 });
  admission = new Admission({
    clients,
    serving: {} as ServingParts,
    stats,
    nowMs: () => 5000,
    maxClients: () => settings.maxClients,
    isProtected: () => settings.isProtected,
    needsPassword: () => settings.needsPassword,
    keepAliveSeconds: () => 300,
  });
});

/** A link that notes what is done to it. */
function link(isLocal: boolean) {
  const noted = { written: "", ended: false, keepAlive: -1 };
  const socket = {
    isLocal,
    write: (bytes: Uint8Array) => {
      noted.written += Buffer.from(bytes).toString("latin1");
      return bytes.length;
    },
    end: () => {
      noted.ended = true;
    },
    keepAlive: (seconds: number) => {
      noted.keepAlive = seconds;
    },
  };
  return { noted, link: socket as unknown as SocketLink };
}

test("one client more than maxclients is told so, closed and counted", () => {
  expect(admission.admit(link(true).link)?.client.id).toBe(1);
  expect(admission.admit(link(true).link)?.client.id).toBe(2);
  const third = link(true);
  expect(admission.admit(third.link)).toBeNull();
  expect(third.noted.written).toBe("-ERR max number of clients reached\r\n");
  expect(third.noted.ended).toBe(true);
  expect(clients.size).toBe(2);
  expect(stats).toEqual({ connectionsReceived: 2, connectionsRejected: 1 });
});

test("a protected server serves its own machine only", () => {
  settings.isProtected = true;
  expect(admission.admit(link(true).link)).not.toBeNull();
  const foreign = link(false);
  expect(admission.admit(foreign.link)).toBeNull();
  expect(foreign.noted.written).toStartWith("-DENIED Redis is running in protected mode");
  expect(foreign.noted.written).toEndWith("\r\n");
  expect(foreign.noted.ended).toBe(true);
  settings.isProtected = false;
  expect(admission.admit(link(false).link)).not.toBeNull();
});

test("a password makes new clients authenticate, and every socket is probed", () => {
  const first = link(true);
  expect(admission.admit(first.link)?.client.authenticated).toBe(true);
  expect(first.noted.keepAlive).toBe(300);
  settings.needsPassword = true;
  expect(admission.admit(link(true).link)?.client.authenticated).toBe(false);
});
