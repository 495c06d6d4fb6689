"""The wall clock jumps by an hour and by ten years: seq grows, time-outs do not move, times are as the clock says."""

import datetime
import glob
import os
import shutil
import tempfile
import time
import unittest

from faults.harness import FaultTest
from faults.oracle import BOARD, Twice, WentBack, open_database

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
# Of the wall clock, in seconds. Back and forth, and to where it was.
JUMPS = [0, 3600, -3600, 0, 315_360_000, 0, -315_360_000, 0]
IDLE_SECONDS = 1
IDLE_ARGS = ["--http-idle-timeout", f"{IDLE_SECONDS}s"]


@unittest.skipUnless(LIBRARY, "libfaketime is not here (Debian: faketime)")
class ClockJumps(FaultTest):
    fault = "clock jumps"

    def start_in_fake_time(self, args=(), **more):
        folder = tempfile.mkdtemp(prefix="standings-clock-")
        self.addCleanup(shutil.rmtree, folder, True)
        self.stamp = os.path.join(folder, "offset")
        self.jump(0)
        # Ten years on, the ledger's age would be over: the oracle wants to read all of it.
        self.start(args=["--retention-age", "36500d", *args], env={
            "LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": self.stamp, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", **more})

    def jump(self, seconds):
        with open(self.stamp + ".new", "w") as file:
            file.write(f"{seconds:+d}\n")
        os.replace(self.stamp + ".new", self.stamp)
        self.offset = seconds

    def reached_at(self, player):
        answer = self.server.public.get(f"/v1/boards/{BOARD}/players/{player}")
        self.assertEqual(answer.status, 200, answer)
        return datetime.datetime.fromisoformat(answer.json["reached_at"].replace("Z", "+00:00")).timestamp()

    def submit_now(self, player):
        """Its time is the server's wall clock, whatever that says; its seq follows the one before."""
        before = self.oracle.newest
        answer = self.send(player, self.new_key())
        self.assertEqual(answer.status, 200, answer)
        if answer.json["seq"] <= before:
            raise WentBack(f"seq {answer.json['seq']} after {before}")
        self.assertAlmostEqual(self.reached_at(player), time.time() + self.offset, delta=30)

    def test_seq_grows_and_nothing_is_lost(self):
        self.start_in_fake_time()
        first_key = self.new_key()
        first_seq = self.send("p0000000", first_key).json["seq"]

        def ask_for_the_first_again():
            answer = self.post("p0000000", first_key)
            self.assertEqual((answer.headers.get("idempotency-replayed"), answer.json["seq"]), ("true", first_seq))

        for number, offset in enumerate(JUMPS):
            # The load runs while the clock jumps.
            self.start_load(connections=8, seconds=1, more=())
            self.jump(offset)
            self.take_load()
            for player in range(5):
                self.submit_now(f"p{player:07}")
            self.verify(f"jump {number} to {offset:+d} s")
            # However far it jumps: what was acknowledged before is not counted again.
            ask_for_the_first_again()
            self.ask_again()
            # A start in the other time sees the same.
            self.server.restart(kill=number % 2 == 0)
            self.verify(f"jump {number} to {offset:+d} s, after a restart")
            ask_for_the_first_again()
            self.ask_again()
            self.verify(f"jump {number} to {offset:+d} s, asked again")
            with open_database(self.server.data) as database:
                times = database.execute("SELECT count(*) FROM event WHERE at IS NULL OR at <= 0").fetchone()[0]
            self.assertEqual(times, 0)
        self.count(len(JUMPS))
        print(f"{len(JUMPS)} jumps, {self.oracle.count} acknowledged: none lost, none twice", flush=True)

    def test_control_forgotten_keys_are_found_out(self):
        # With a single key remembered, asking again counts again.
        self.start_in_fake_time(args=["--idempotency-keys", "1"])
        self.start_load(connections=8, seconds=1, more=())
        self.jump(JUMPS[4])
        self.take_load()
        self.verify("before anything is asked again")
        # Whatever the answers say: the oracle must see it by itself.
        recent = sorted(self.oracle.recent.items())
        for key, (_, player) in self.chance.sample(recent, min(10, len(recent))):
            self.assertEqual(self.post(player, key).status, 200)
        with self.assertRaises(Twice) as twice:
            self.verify("asked again")
        self.control_failed(f"with one key remembered: {twice.exception}")

    def idle_seconds(self, offset_meanwhile, patience):
        """How long an idle connection is kept when the clock jumps right after its request."""
        with self.server.raw() as raw:
            began = time.monotonic()
            raw.send(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertEqual(raw.answer().status, 200)
            self.jump(offset_meanwhile)
            self.assertTrue(raw.is_closed(patience), "still open")
            return time.monotonic() - began

    def test_time_outs_do_not_move(self):
        self.start_in_fake_time(args=IDLE_ARGS)
        for offset in JUMPS[:5]:
            # The smallest jump is an hour: what a busy machine adds is not it.
            seconds = self.idle_seconds(offset, patience=60)
            self.assertGreater(seconds, IDLE_SECONDS - 0.5, f"jump to {offset:+d} s")
            self.assertLess(seconds, 60, f"jump to {offset:+d} s")
        self.row.runs += len(JUMPS[:5])

    def test_control_a_monotonic_clock_that_jumps_is_found_out(self):
        # Both clocks are faked: when they go back an hour, an idle connection is kept an hour longer.
        self.start_in_fake_time(args=IDLE_ARGS, FAKETIME_DONT_FAKE_MONOTONIC="0", DONT_FAKE_MONOTONIC="0")
        with self.assertRaisesRegex(AssertionError, "still open") as kept:
            self.idle_seconds(-3600, patience=IDLE_SECONDS + 3)
        self.control_failed(f"with the monotonic clock faked too, an idle connection of {IDLE_SECONDS} s was kept: {kept.exception}")
