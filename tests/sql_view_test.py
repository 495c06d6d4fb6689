"""Anybody with a shell sees the current standings in the database, while writes run."""

import json
import random
import subprocess
import threading
import unittest

from support.server import ServerTest, wait_until

PLAYERS = 200
WRITERS = 4
SNAPSHOTS = 60

# What docs/ tells people to type. One read transaction, so that the seq belongs to the rows.
QUERY = """
BEGIN;
SELECT seq FROM boards WHERE board = '{board}';
SELECT rank, position, player, name, score_1 AS score FROM standings WHERE board = '{board}' ORDER BY position;
COMMIT;
"""


class SqlView(ServerTest):
    def setUp(self):
        self.board = self.make_board(rule="best")
        self.slug = self.board.rsplit("/", 1)[1]
        self.receipts = []
        self.failures = []
        self.stop = threading.Event()

    def write(self, seed):
        """Submits until told to stop, with keys and names; keeps each receipt's seq."""
        chance = random.Random(seed)
        try:
            while not self.stop.is_set():
                player = f"p{chance.randrange(PLAYERS)}"
                score = chance.randrange(1000)
                receipt = self.submit(self.board, player, score, name=player.upper())
                self.receipts.append((receipt["seq"], player, score))
        except BaseException as failure:
            self.failures.append(failure)

    def from_shell(self):
        done = subprocess.run(
            ["sqlite3", "-readonly", "-json", str(self.server.data / "standings.db"), QUERY.format(board=self.slug)],
            capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        parts = [json.loads(part) for part in done.stdout.replace("]\n[", "]\x00[").split("\x00") if part.strip()]
        rows = [(row["rank"], row["position"], row["player"], row["name"], row["score"])
                for row in (parts[1] if len(parts) > 1 else [])]
        return parts[0][0]["seq"], rows

    def from_api(self):
        answer = self.server.public.get(f"{self.board}/standings?limit=1000")
        self.assertEqual(answer.status, 200, answer)
        page = answer.json
        return page["seq"], [(row["rank"], row["position"], row["player"], row["name"], row["score"]) for row in page["rows"]]

    def test_the_view_equals_the_api_at_every_seq_seen(self):
        writers = [threading.Thread(target=self.write, args=(seed,)) for seed in range(WRITERS)]
        for writer in writers:
            writer.start()
        try:
            wait_until(lambda: len(self.receipts) > 50 or self.failures, "the writers to be under way")
            seen = []
            for _ in range(SNAPSHOTS):
                seen.append(("shell", *self.from_shell()))
                seen.append(("api", *self.from_api()))
        finally:
            self.stop.set()
            for writer in writers:
                writer.join()
        self.assertEqual(self.failures, [])

        # At rest, shell and API say the same about the same seq.
        self.assertEqual(self.from_shell(), self.from_api())
        seen.append(("shell", *self.from_shell()))

        # While writes ran, each was exactly what the receipts up to its seq add up to.
        seqs = {seq for _, seq, _ in seen}
        expected = self.standings_at(seqs)
        for who, seq, rows in seen:
            self.assertEqual(rows, expected[seq], f"{who} at seq {seq}")
        during = {seq for who, seq, _ in seen if who == "shell"}
        self.assertGreater(len(during), SNAPSHOTS // 4, "the shell hardly saw a write between its reads")

    def standings_at(self, seqs):
        """By brute force from the receipts in the order of their seq."""
        best, found = {}, {}
        receipts = sorted(self.receipts)
        self.assertEqual(len({seq for seq, _, _ in receipts}), len(receipts), "one seq for two submissions")
        at = 0
        for seq in sorted(seqs):
            while at < len(receipts) and receipts[at][0] <= seq:
                reached, player, score = receipts[at]
                if player not in best or score > best[player][0]:
                    best[player] = (score, reached)
                at += 1
            ordered = sorted(best.items(), key=lambda item: (-item[1][0], item[1][1]))
            rows = []
            for position, (player, (score, _)) in enumerate(ordered, 1):
                tied = rows and rows[-1][4] == score
                rows.append((rows[-1][0] if tied else position, position, player, player.upper(), score))
            found[seq] = rows
        return found

    def test_a_shell_cannot_write(self):
        done = subprocess.run(
            ["sqlite3", "-readonly", str(self.server.data / "standings.db"), "DELETE FROM boards"],
            capture_output=True, text=True, timeout=30)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
