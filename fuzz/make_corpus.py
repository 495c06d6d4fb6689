"""Writes the first inputs of the fuzz targets into fuzz/corpus/. Inputs that found a bug lie beside them."""

import gzip
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def http(text):
    return text.replace("\n", "\r\n").encode()


REQUESTS = {
    "get": http("GET /v1/boards?limit=5 HTTP/1.1\nHost: example.org:8420\nAuthorization: Bearer x\n\n"),
    "post_with_length": http("POST /a HTTP/1.1\nHost: [::1]:80\nIdempotency-Key: k1\nContent-Length: 5\n\nhello"),
    "chunks_and_trailers": http("POST /b HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nExpect: 100-continue\n\n"
                                "3\nabc\n00A;name=\"v\"\n0123456789\n0\nTrailer: x\n\n"),
    "pipelined": http("GET /1 HTTP/1.1\nHost: a\n\n\nGET /2 HTTP/1.0\nConnection: keep-alive\n\nHEAD /3 HTTP/1.1\nHost: a\n\n"),
    "absolute_target": http("GET http://a:1/d?e HTTP/1.1\nHost: a:1\nConnection: close\n\n"),
    "options_of_all": http("OPTIONS * HTTP/1.1\nHost: a\nX-Tab: a\tb\n\n"),
    "length_and_chunks": http("POST / HTTP/1.1\nHost: a\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n"),
    "two_lengths": http("POST / HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 6\n\nhello"),
    "folded_header": http("GET / HTTP/1.1\nHost: a\nX: a\n b\n\n"),
    "bare_line_feed": b"GET / HTTP/1.1\nHost: a\n\n",
    "two_hosts": http("GET / HTTP/1.1\nHost: a\nHost: b\n\n"),
    "chunk_without_digits": http("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n\nabc\n0\n\n"),
    "old_version": http("GET / HTTP/0.9\n\n"),
}

JSON = {
    "every_kind": rb'{"a":[1,-2.50,1e3,true,false,null,"x"],"b":{},"c":{"d":[[]]}}',
    "escapes": rb'["\u00e9\ud83d\ude00\\\"\n","\u0000",{"\u0061b":1}]',
    "long_numbers": b"[9007199254740993,18446744073709551616,0.0000000000000000001,1e400,-0]",
    "nested_33": b"[" * 33 + b"]" * 33,
    "twice_the_same_member": rb'{"a":1,"\u0061":2}',
    "broken_utf8": b'"\xed\xa0\x80"',
    "blank_around": b" \t\r\n{ \"a\" : [ 1 , 2 ] }\n",
    "cut_off": b'{"player":"u_812","score":',
}

BODIES = {
    "submission": b'{"player":"u_812","score":83456}',
    "submission_with_all": b'{"player":"u@x","name":"Ay\xc5\x9fe","score":12e0,"meta":{"car":"gt3","n":[1.50]},'
                           b'"occurred_at":"2026-09-21T02:15:00.5+02:00"}',
    "submission_takes_away": b'{"player":"a","score":-1,"name":null,"meta":null}',
    "submission_of_three": b'{"player":"a","scores":{"points":1,"time":83.456,"wins":0.000001}}',
    "largest_score": b'{"player":"a","score":9007199254740991}',
    "too_large_score": b'{"player":"a","score":9007199254740992}',
    "name_to_compose": rb'{"player":"a","score":1,"name":"Ays\u0327e \ud83d\udc69\u200d\ud83d\ude80"}',
    "name_that_turns_around": rb'{"player":"a","score":1,"name":"a\u202eb"}',
    "board": b'{"id":"speedrun"}',
    "board_with_all": b'{"id":"a","title":"A","rule":"sum","ties":"earliest","visibility":"private","public_meta":true,'
                      b'"columns":[{"name":"points","order":"desc","decimals":2},{"name":"time","order":"asc"}],'
                      b'"limits":{"points":{"min":0,"max":99.5},"time":{"max":3}}}',
    "patch": b'{"title":"U","rule":"last","limits":{"max":10}}',
    "patch_to_defaults": b'{"title":null,"rule":null,"ties":null,"columns":null,"limits":null}',
    "patch_of_columns": b'{"columns":[{"name":"time","decimals":6},{"name":"points"}]}',
    "not_known": b'{"player":"a","score":1,"a/b~":1}',
}

TARGETS = {
    "path_and_query": b"/v1/boards/a%2Fb/standings?limit=5&around=u%5F1&empty=&flag&q=a+b%20c",
    "deep_path": b"/1/2/3/4/5/6/7/8/9",
    "broken_escape": b"/a?x=%zz",
    "twice_the_same": b"/a?x=1&%78=2",
    "overlong_utf8": b"/%C0%AF?%E2%82=1",
    "cursor_after": b"n.1a.7vvvvvvvv",
    "cursor_before": b"p.3.-5.1g",
    "cursor_of_four": b"n.9.1.2.-3.0",
    "score": b"-12.50",
    "score_with_exponent": b"1.5e3",
    "score_with_large_exponent": b"1e-99999999999999999999",
}

SETTINGS = {
    "sections": b'listen = "127.0.0.1:0"\n[http]\nmax_body = "64MB"\nidle_timeout = "5m"\n[log]\nlevel = "debug"\n',
    "dotted_keys": b'engine.batch = 10\nretention.age = "2d"\nhttp.max_line = 1000\n',
    "unknown_key": b"[http]\nmax_conections = 5\n",
    "not_a_scalar": b"listen = [1, 2]\n",
    "wrong_values": b'http.max_depth = "deep"\nlog.level = "loud"\nengine.batch = -1\n',
    "every_kind_of_toml": b"a = 1979-05-27T07:32:00Z\nb = 0x1F\nc = 1.5e3\nd = '''x\ny'''\n[[e]]\nf = { g = true }\n",
    "not_toml": b"a = = 1\n",
    "size": b"64KiB",
    "duration": b"500ms",
    "overflow": b"9223372036854775807TiB",
    "address": b"[::1]:8420",
}


def rows():
    # Slots, seqs and scores come behind a byte; 0: the number may be any.
    words = {"u8": "<B", "u32": "<I", "u64": "<Q", "i64": "<q", "slot": "<xI", "seq": "<xQ", "units": "<xq"}
    pack = lambda *values: b"".join(struct.pack(words[kind], value) for kind, value in values)
    any_row = b"\0" + b"".join(pack(("u8", at % 6)) + bytes([3, 1, 2, 3, 4, 5, 6, 7])[:1 + at % 8] for at in range(29))
    scores = [("units", value) for value in (1, -2, 2**53 - 1, 0, 5, 6, 7, 8, 9, 10, 11, 12)]
    event = pack(("u8", 1), ("u8", 0), ("u8", 1), ("u8", 1), ("u8", 2), ("seq", 200), ("u32", 1), ("u32", 1), ("slot", 7),
                 ("u32", 3), *scores, ("seq", 20), ("i64", 1_790_000_000_000), ("i64", -5), ("u64", 3), ("u64", 4), ("u64", 9))
    taken_back = event[:1] + b"\4" + event[2:]
    removal = event[:1] + b"\2" + event[2:]
    board_event = event[:1] + b"\5" + event[2:]
    entry = pack(("u8", 2), ("u32", 1), ("slot", 5), ("u8", 0), ("u8", 2), *scores[:4], ("seq", 40), ("seq", 44),
                 ("i64", 1_790_000_000_000), ("i64", -2**63), ("u32", 3), ("u8", 1))
    tombstone = entry[:10] + b"\1" + entry[11:]
    impossible = entry[:6] + b"\xff" * 4 + entry[10:]
    player = pack(("u8", 3), ("u32", 1), ("slot", 5)) + b"\3ann" + b"\1\3Ann" + b"\1" + b'{"car":"gt3"}'
    return {"any_row": any_row, "event": event, "taken_back": taken_back, "removal": removal, "board_event": board_event,
            "entry": entry, "tombstone": tombstone, "slot_beyond_the_limit": impossible,
            "player": player, "player_without_details": player[:14] + b"\0\0"}


def moves(seed, size):
    value, out = seed, bytearray()
    for _ in range(size):
        value = (value * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(value >> 16 & 0xFF)
    return bytes(out)


def damage(*changes):
    return b"\0" + b"".join(struct.pack("<I", at | bits << 24) for at, bits in changes)


def recovery():
    page = 4096
    return {
        "nothing": b"\0",
        "header": damage((18, 1), (19, 1)),
        "page_size": damage((16, 0x10)),
        "text_encoding": damage((59, 3)),
        "schema_version": damage((63, 1)),
        "schema_text": damage(*((page - 100 - i * 37, 4) for i in range(20))),
        "every_page_once": damage(*((number * page + 200 + number * 13, 1 << number % 8) for number in range(40))),
        "every_page_header": damage(*((number * page + 3, 1) for number in range(1, 30))),
        "types_of_records": damage(*((number * page + page - 20 - number, 1) for number in range(1, 40))),
        **{f"rows_that_lie_{seed}": b"\1" + moves(seed, 40) for seed in range(1, 9)},
    }


def imports():
    ndjson = b'{"player":"a","score":1}\n\n{"player":"bad id","score":2}\n{"score":1.5e1,"player":7,"name":null}\r\n'
    csv = b'player,score,name,meta,skip\na,1,"x ""y""",,z\n"b\n",3,,"{""k"":1}",\n  \nc,4,,,\n'
    many = b'{"player":"a","scores":{"points":3,"time":1.5},"occurred_at":"2026-01-01T10:00:00+01:00"}\n'
    tsv = b"time\tplayer\tpoints\n1.25\ta\t3\n\"2\"\tb\t4\n"
    head = lambda form, columns: bytes([form, columns])
    return {
        "ndjson": head(0, 0) + ndjson,
        "ndjson_with_mark": head(0, 0) + b"\xef\xbb\xbf" + ndjson,
        "ndjson_of_two_columns": head(0, 1) + many,
        "csv": head(1, 0) + csv,
        "csv_open_quote": head(1, 0) + b'player,score\na,"1\nb,2\n',
        "csv_without_header": head(1, 0),
        "tsv_of_two_columns": head(2, 1) + tsv,
        "gzip": head(0, 0) + gzip.compress(ndjson, mtime=0),
        "gzip_cut_off": head(0, 0) + gzip.compress(ndjson, mtime=0)[:-9],
        "gzip_of_two_members": head(1, 0) + gzip.compress(csv[:30], mtime=0) + gzip.compress(csv[30:], mtime=0),
        "long_line": head(0, 0) + b'{"player":"' + b"a" * 66_000 + b'","score":1}\n{"player":"b","score":1}\n',
    }


def boards():
    # Rule, ties and columns come first.
    return {f"{rule}_{ties}": bytes([number, tie, tie]) + moves(number * 2 + tie + 1, 400)
            for number, rule in enumerate(("best", "last", "sum", "first"))
            for tie, ties in enumerate(("shared", "earliest"))}


def main():
    targets = {"request_parser": REQUESTS, "json_document": JSON, "request_json": BODIES, "target": TARGETS,
               "settings": SETTINGS, "row_codec": rows(), "recovery": recovery(), "import": imports(), "board": boards()}
    for target, seeds in targets.items():
        folder = CORPUS / f"{target}_fuzz"
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
