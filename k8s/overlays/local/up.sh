#!/usr/bin/env bash
# BamboChat on k3d (Docker, k3d, kubectl, openssl): a cluster, the images, everything at http://localhost:8080.
# Down again: k3d cluster delete bambochat
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)

"$here/make-secrets.sh"
k3d cluster list bambochat >/dev/null 2>&1 || k3d cluster create bambochat --port 8080:80@loadbalancer
for service in socket-gateway message-service presence-service history-service directory-service; do
  docker build -q -f "$root/deploy/Dockerfile" --build-arg "SERVICE=$service" -t "bambochat/$service:0.1.0" "$root"
done
docker build -q -f "$root/deploy/Dockerfile" --target web --build-arg SERVICE=web -t bambochat/web:0.1.0 "$root"
docker build -q -f "$root/deploy/Dockerfile" --target tool --build-arg SERVICE=operate -t bambochat/operate:0.1.0 "$root"
k3d image import -c bambochat bambochat/{socket-gateway,message-service,presence-service,history-service,directory-service,web,operate}:0.1.0
kubectl apply -k "$here"
kubectl -n bambochat rollout status statefulset --timeout=300s
kubectl -n bambochat wait --for=condition=complete job/mongodb-initiate --timeout=300s
kubectl -n bambochat rollout status deployment --timeout=300s
echo "BamboChat ready at http://localhost:8080"
