#!/usr/bin/env bash
# Keys and addresses for the local overlay, in an ignored folder; made once.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p secrets
[ -f secrets/private-key ] || openssl genpkey -algorithm ed25519 -out secrets/private-key
openssl pkey -in secrets/private-key -pubout -out secrets/public-key
cat > secrets/backends.env <<'END'
mongodb-url=mongodb://mongodb-0.mongodb.bambochat.svc.cluster.local:27017/bambochat?replicaSet=bambochat
nats-url=nats://nats:4222
redis-url=redis://redis:6379
END
