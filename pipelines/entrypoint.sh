#!/bin/sh
# The first process of a container: `maintain` refuses credentials that others may read, and a mounted secret has
# the mode of its file on the host, so it gets a private copy in memory.
set -eu
umask 077
cat "$REGISTRY_CREDENTIALS_FILE" > "$REGISTRY_CREDENTIALS_COPY"
exec maintain "$@"
