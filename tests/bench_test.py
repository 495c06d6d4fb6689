"""The arithmetic of the benchmarks: what they print is what they measured."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))

import mixed_load  # noqa: E402

MIB = 2**20


def samples(rss_of):
    return [{"seconds": 10 * at, "rss": rss_of(at)} for at in range(360)]


class MemorySlope(unittest.TestCase):
    def test_is_nothing_when_memory_grows_in_the_first_third_only(self):
        self.assertEqual(mixed_load.slope_kb_per_minute(samples(lambda at: min(at, 100) * MIB)), 0)

    def test_is_what_leaks_in_a_minute(self):
        leak = 5 * 1024  # in ten seconds
        self.assertAlmostEqual(mixed_load.slope_kb_per_minute(samples(lambda at: 50 * MIB + at * leak)), 30)

    def test_does_not_take_single_peaks_for_growth(self):
        self.assertEqual(mixed_load.slope_kb_per_minute(samples(lambda at: (90 if at % 7 == 0 else 50) * MIB)), 0)

    def test_is_unknown_for_a_run_of_seconds(self):
        self.assertIsNone(mixed_load.slope_kb_per_minute(samples(lambda at: MIB)[:2]))


if __name__ == "__main__":
    unittest.main()
