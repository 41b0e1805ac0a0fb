/** What `bundis --help` and `--version` print. */
import type { Directive } from "../config/directive.ts";
import { SECTIONS } from "../config/directives.ts";
import { REDIS_VERSION, VERSION } from "../version.ts";

/** Scripts look for `v=` and take the level of Redis from it. */
export function versionText(): string {
  return `Bundis ${VERSION}, compatible with Redis server v=${REDIS_VERSION} sha=00000000:0 malloc=bundis-core bits=64 build=bundis-${VERSION}`;
}

const HEAD = `Bundis ${VERSION}: a Redis-compatible in-memory data server

Usage:  bundis [/path/to/redis.conf] [--directive value ...] [-]

  bundis                                  defaults: port 6379 on loopback, nothing is kept on disk
  bundis /etc/redis.conf --loglevel verbose
  bundis --port 7777 --maxmemory 100mb --maxmemory-policy allkeys-lru
  bundis --appendonly yes --dir /var/lib/bundis
  echo 'maxmemory 128mb' | bundis -       directives from standard input

  bundis -v, --version                    the version
  bundis -h, --help                       this text
  bundis --check-system                   whether this machine has what it takes
  bundis --check-aof PATH                 what the append-only files in a directory are like; PATH may be a manifest or one
                                          file, too. With --fix what is torn or damaged is cut off, with
                                          --truncate-to-timestamp SECONDS what is later than that

Every directive can also be given as BUNDIS_<DIRECTIVE> in the environment (BUNDIS_MAXMEMORY=100mb); REDIS_PASSWORD,
REDIS_PASSWORD_FILE and PORT are read too. Flags win over the environment, the environment over the file.
`;
const NAME_WIDTH = 40;

/** Directives that have an effect, by section. */
export function usageText(): string {
  const sections = Object.entries(SECTIONS).map(([title, rows]) => {
    const lines = (Object.entries(rows) as [string, Directive][])
      .filter(([, row]) => row.hasEffect)
      .map(([name, row]) => {
        const initial = row.initial === "" || row.initial === "." ? "" : ` ${row.initial}`;
        return `  ${`--${name}${initial}`.padEnd(NAME_WIDTH)} ${row.about}`;
      });
    return lines.length === 0 ? "" : `\n${title}\n${lines.join("\n")}\n`;
  });
  return `${HEAD}${sections.join("")}
The other directives of Redis are accepted without effect: docs/configuration.md.
`;
}
