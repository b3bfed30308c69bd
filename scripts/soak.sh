#!/usr/bin/env bash
# Has a release build at full load for twenty minutes, then met by five thousand keys that it does not
# know, then by ten thousand idle connections: `make soak`. `SOAK_SECONDS` says how long the first takes.
# docs/reliability.md says what came of it.
. "$(dirname -- "${BASH_SOURCE[0]}")/trials.sh"

trial soak "full load for ${SOAK_SECONDS:-1200} s"
trial herd "5,000 keys that the server does not know, at once"
trial idle "10,000 idle connections"
all_held
