#!/usr/bin/env bash
# Fault injection in a release build: 200 kills under load, a graceful stop with a slow client, a slow and a broken
# network to the database, a full disk: `make chaos`. The last needs root, to mount a file system.
# docs/reliability.md has the results.
. "$(dirname -- "${BASH_SOURCE[0]}")/slow-tests.sh"

slow_test server_kills "a server that is killed under load, 200 times"
slow_test deadline "a graceful stop with a client that does not end its request"
slow_test slow_network "a network to the database that is slow, and cut"
slow_test disk_full "a database whose disk is full"
all_passed
