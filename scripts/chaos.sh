#!/usr/bin/env bash
# Kills a release build two hundred times under orders, has it stop while a client dawdles, puts a slow and
# a broken network between it and its database, and fills the database's disk: `make chaos`. The last needs root, to
# mount a file system. docs/reliability.md says what came of it.
. "$(dirname -- "${BASH_SOURCE[0]}")/trials.sh"

trial server_kills "a server that is killed under orders, 200 times"
trial deadline "a server that is told to stop, and a client that does not end its request"
trial slow_network "a network to the database that is slow, and cut"
trial disk_full "a database whose disk is full"
all_held
