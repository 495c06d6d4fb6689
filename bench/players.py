"""The players of the benchmarks: no two have the same score, so that every rank is known (bench/load/known_board.h)."""

import heapq

PREFIX = "player-000000"  # before seven digits: ids of 20 characters
MOST = 10_000_000
CHUNK = 100_000
_FIRST = ("Quiet", "Lucky", "Grumpy", "Swift", "Sleepy", "Brave", "Tiny", "Old", "Misty", "Jolly", "Rusty", "Silver", "Wild", "Calm", "Nimble", "Bold")
_SECOND = ("Otter", "Fox", "Heron", "Badger", "Lynx", "Raven", "Moth", "Pike", "Hare", "Wren", "Stoat", "Toad", "Owl", "Crane", "Newt", "Bear")


def player_id(number):
    return f"{PREFIX}{number:07d}"


def score_of(number):
    return number * 7919 % MOST


def name_of(number):
    """Like SwiftHeron4711: 8 to 19 characters, no two alike."""
    return f"{_FIRST[number % 16]}{_SECOND[number // 16 % 16]}{number}"


def tenth_score(players):
    """Who stays below it leaves the first ten as they are."""
    return min(heapq.nlargest(10, map(score_of, range(players))))


def chunks(players):
    """Ranges of numbers, so that ten million players are never in memory at once."""
    for first in range(0, players, CHUNK):
        yield range(first, min(first + CHUNK, players))


def ndjson(numbers):
    return "".join(f'{{"player":"{PREFIX}{number:07d}","score":{number * 7919 % MOST}}}\n' for number in numbers).encode()


def ndjson_with_names(numbers):
    return "".join(f'{{"player":"{PREFIX}{number:07d}","name":"{name_of(number)}","score":{number * 7919 % MOST}}}\n' for number in numbers).encode()


def csv(numbers):
    return "".join(f"{PREFIX}{number:07d},{number * 7919 % MOST}\n" for number in numbers).encode()


def ranks(players):
    """The rank of each player, 1 for the best."""
    order = sorted(range(players), key=score_of, reverse=True)
    result = [0] * players
    for rank, number in enumerate(order, 1):
        result[number] = rank
    return result
