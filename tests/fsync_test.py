"""Each answer to a submission leaves after the fsync that makes it durable; strace is the witness."""

import re
import shutil
import subprocess
import unittest

from support.server import Server, wait_until

SUBMISSIONS = 50
CALLS = "fsync,fdatasync,sendto,sendmsg,write,writev"


def strace_works():
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


@unittest.skipUnless(strace_works(), "strace is not here or may not trace")
class FsyncBeforeAnswer(unittest.TestCase):
    def test_each_answer_follows_an_fsync_of_its_own(self):
        # One client, one submission after another: the k-th answer needs k finished fsyncs before it.
        server = Server()
        self.addCleanup(server.close)
        trace = server.home / "trace"
        server.wrapper = ["strace", "-f", "-s", "4096", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(trace)]
        server.start()
        self.assertEqual(server.api.post("/v1/boards", {"id": "b", "rule": "sum"}).status, 201)
        for number in range(SUBMISSIONS):
            answer = server.api.post("/v1/boards/b/submissions", {"player": "p", "score": 1}, idempotency_key=f"k{number}")
            self.assertEqual(answer.status, 200, answer)
        wait_until(lambda: len(self.answers(trace)[0]) >= SUBMISSIONS, "the trace to be written")
        answers, _ = self.answers(trace)
        previous = answers[0]
        for number, synced in enumerate(answers[1:], 2):
            self.assertGreater(synced, previous, f"no fsync between answer {number - 1} and answer {number}")
            previous = synced
        print(f"{len(answers)} answers, each after an fsync of its own")

    def test_the_name_of_a_new_data_folder_is_durable_before_anything_is_answered(self):
        server = Server()
        self.addCleanup(server.close)
        server.data = server.home / "new" / "er" / "data"
        trace = server.home / "trace"
        server.wrapper = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o", str(trace)]
        server.start()
        for folder in (server.home, server.home / "new", server.home / "new" / "er", server.data):
            with self.subTest(folder.name):
                self.assertRegex(trace.read_text(errors="replace"), rf"sync\(\d+<{re.escape(str(folder))}>\) += 0")

    @staticmethod
    def answers(trace):
        """For each answer to a submission: how many fsyncs had finished when its send began."""
        finished, answers = 0, []
        for line in trace.read_text(errors="replace").splitlines():
            if re.search(r"\b(fsync|fdatasync)\(.*\) += 0|<\.\.\. (fsync|fdatasync) resumed>.*= 0", line):
                finished += 1
            elif re.search(r"\b(sendto|sendmsg|write|writev)\(", line) and '\\"outcome\\":' in line and "HTTP/1.1 200" in line:
                answers.append(finished)
        return answers, finished


if __name__ == "__main__":
    unittest.main()
