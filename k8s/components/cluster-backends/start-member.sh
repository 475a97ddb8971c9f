#!/usr/bin/env bash
# Member 0 makes the root user; the others get it, with everything else, when they join it. MongoDB refuses a
# member that already has users.
set -euo pipefail
if [ "${HOSTNAME##*-}" = 0 ]; then
  export MONGO_INITDB_ROOT_USERNAME=root MONGO_INITDB_ROOT_PASSWORD="$MONGODB_ROOT_PASSWORD"
fi
exec docker-entrypoint.sh mongod --replSet bambochat --bind_ip_all --keyFile /etc/mongodb/keyfile
