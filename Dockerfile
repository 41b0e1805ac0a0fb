# Bundis with the conventions of the official redis image: `docker run IMAGE [redis-server] [file.conf] [--directive value ...]`,
# data in /data, user `redis`, port 6379.

FROM oven/bun:1.4.5 AS build
WORKDIR /src
COPY package.json bun.lock ./
RUN bun install --frozen-lockfile
COPY . .
RUN bun build.ts

FROM debian:bookworm-slim
# redis-cli, for the health check and for people.
RUN groupadd --system --gid 999 redis \
 && useradd --system --uid 999 --gid redis --home-dir /data redis \
 && install --directory --owner redis --group redis /data \
 && apt-get update \
 && apt-get install -y --no-install-recommends redis-tools \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/dist/bundis /usr/local/bin/bundis
COPY docker-entrypoint.sh /usr/local/bin/
RUN ln -s bundis /usr/local/bin/redis-server

# Below a file's, the environment's and flags' values. A container is reached from outside, so loopback would be of no use in it.
ENV BUNDIS_DEFAULT_BIND="* -::*" \
    BUNDIS_DEFAULT_PROTECTED_MODE=no

VOLUME /data
WORKDIR /data
EXPOSE 6379
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD redis-cli -p "${BUNDIS_PORT:-${PORT:-6379}}" ping || exit 1
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
