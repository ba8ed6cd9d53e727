#!/bin/sh
# One process of the portal. What is not named here is a management command: `doctor`, `createorganization`, …
#
#   web              pages and the API of bots, at port 8000
#   stream           sockets, at port 8001
#   work             mail and what time brings about
#   migrate [ROLE]   brings the database up to date, as its owner, and gives ROLE what serving needs
#   healthy PORT     whether the server at that port answers
#   static           collects static files; when the image is built
set -eu

case "${1:-web}" in
web)
    exec granian --interface asginl --http 1 --http1-buffer-size 16384 --respawn-failed-workers --workers-kill-timeout 5 \
        --no-ws --host 0.0.0.0 --port 8000 --workers 2 --log-level warning --no-access-log portal.asgi:application
    ;;
stream)
    exec uvicorn portal.asgi:application --ws portal.core.web.door.sockets:BoundedSocket --ws-max-size 65536 \
        --ws-ping-interval 20 --ws-ping-timeout 20 --ws-per-message-deflate false --h11-max-incomplete-event-size 16384 \
        --lifespan on --no-proxy-headers --no-server-header --no-date-header --log-level warning --no-access-log \
        --timeout-graceful-shutdown 10 \
        --host 0.0.0.0 --port 8001
    ;;
work)
    exec countersign work
    ;;
migrate)
    countersign migrate --no-input
    if [ -n "${2:-}" ]; then
        exec countersign databaseroles --web "$2"
    fi
    ;;
healthy)
    exec python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)' \
        "http://127.0.0.1:$2/healthz"
    ;;
static)
    # Of settings it needs those that name things, and keeps none of them.
    drawn=$(python3 -c 'import secrets; print(secrets.token_urlsafe(64))')
    key=$(python3 -c 'import secrets; print("k1:" + secrets.token_urlsafe(32))')
    PORTAL_SECRET_KEY=$drawn PORTAL_SEALING_KEYS=$key PORTAL_BASE_URL=https://portal.example.com \
        PORTAL_ALLOWED_HOSTS=portal.example.com PORTAL_MAIL_FROM=portal@example.com EMAIL_URL=dummymail:// \
        DATABASE_URL=postgres://nobody@127.0.0.1/nothing exec countersign collectstatic --no-input
    ;;
*)
    exec countersign "$@"
    ;;
esac
