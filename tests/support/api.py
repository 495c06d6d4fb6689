"""What tests of the API share."""

from support.server import ServerTest


def brief(rows):
    return [(row["rank"], row["position"], row["player"], row["score"]) for row in rows]


class ApiTest(ServerTest):
    """One server a class, a board of its own for each test."""

    @property
    def api(self):
        return self.server.api

    @property
    def public(self):
        return self.server.public

    def get(self, path):
        answer = self.public.get(path)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def filled(self, scores, **settings):
        """A board with players p1, p2 ... who submitted `scores` in this order."""
        board = self.make_board(**settings)
        lines = [{"player": f"p{number}", "score": score} for number, score in enumerate(scores, 1)]
        answer = self.api.stream(f"{board}/submissions", lines)
        self.assertEqual(answer.json["summary"]["accepted"], len(lines), answer)
        return board
