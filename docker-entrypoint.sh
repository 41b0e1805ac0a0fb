#!/bin/sh
# Starts what the container was asked for: `[redis-server] [file.conf] [--directive value ...]`, or any other command.
# Started as root, it gives /data to the user `redis` and goes on as that user.
set -e

# Arguments of the server without its name.
case "${1-redis-server}" in
-* | *.conf | redis-server) [ "${1-}" = redis-server ] || set -- redis-server "$@" ;;
esac

case "$1" in
redis-server | bundis)
  if [ "$(id -u)" = 0 ]; then
    # Files that another user left in the volume.
    find . ! -user redis -exec chown redis:redis '{}' +
    exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
  fi
  # Data is nobody else's business, unless the image's user chose otherwise.
  [ "$(umask)" != 0022 ] || umask 0077
  ;;
esac

exec "$@"
