#!/usr/bin/env bash
# Long-running load test of a release build: twenty minutes at full load (SOAK_SECONDS), then 5,000 keys that are
# not cached, then 10,000 idle connections: `make soak`. docs/reliability.md has the results.
. "$(dirname -- "${BASH_SOURCE[0]}")/slow-tests.sh"

slow_test soak "full load for ${SOAK_SECONDS:-1200} s"
slow_test herd "5,000 keys that are not cached, at once"
slow_test idle "10,000 idle connections"
all_passed
