"""Runs schedules of `test_interleaving` for any length: `make interleave ARGS='--seconds 600'`."""

import argparse
import logging
import secrets
import sys
import time

import hypothesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof.schedules import Hosts, two_hosts

AT_ONCE = 500  # schedules of one seed


def main() -> int:
    """Run seed after seed until the time is up or a schedule breaks a rule."""
    parser = argparse.ArgumentParser(prog="make interleave")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    arguments = parser.parse_args()
    logging.getLogger("conversations").setLevel(logging.CRITICAL)  # failures are what is made here
    started, count, seed = time.monotonic(), 0, arguments.seed
    with two_hosts() as hosts:
        while not count or time.monotonic() - started < arguments.seconds:
            try:
                count += _schedules(hosts, seed)
            except BaseException:
                _say(f"seed {seed} broke a rule: make interleave ARGS='--seconds 0 --seed {seed}'")
                raise
            took = time.monotonic() - started
            calls, again = hosts.by_client.total(), hosts.tried_again.total()
            _say(
                f"seed {seed}: {count} schedules in {took:.0f} s; of {calls} calls by the official"
                f" client it tried {again} again"
            )
            seed += 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _schedules(hosts: Hosts, seed: int) -> int:
    """Run the schedules of one seed. Returns how many there were."""
    count = 0

    @hypothesis.seed(seed)
    @settings(
        max_examples=AT_ONCE,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def schedule(data: st.DataObject) -> None:
        nonlocal count
        count += 1
        hosts.play(data.draw)

    schedule()
    return count


if __name__ == "__main__":
    sys.exit(main())
