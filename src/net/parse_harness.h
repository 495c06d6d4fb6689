// Requests out of bytes as a connection reads them, in pieces of any size: what comes of them must
// not depend on the pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "net/request_parser.h"

namespace standings::net {

struct Parsed {
    std::string method, target, body, authorization, idempotency_key;
    bool has_key = false, keep_alive = false, expects_continue = false;
    friend bool operator==(const Parsed&, const Parsed&) = default;
};

struct Outcome {
    std::vector<Parsed> requests;
    int status = 0;        // of the problem that ended it
    bool complete = true;  // no half request at the end
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    for (const auto& request : outcome.requests) {
        out << request.method << ' ' << request.target << " [" << request.body << "] ";
    }
    return out << "status " << outcome.status << (outcome.complete ? "" : ", incomplete");
}

// Does what a connection does: feeds `bytes` in pieces of the given lengths (the last one repeats),
// keeping what is not consumed. The kept bytes move in memory each time.
inline Outcome parse_in_pieces(std::string_view bytes, const std::vector<std::size_t>& lengths,
                               const Limits& limits = {}) {
    RequestParser parser(limits);
    parser.begin();
    Outcome outcome;
    std::string held;
    std::string head;
    Parsed request;
    std::size_t turn = 0;
    while (!bytes.empty()) {
        const auto length = std::min(bytes.size(), lengths[std::min(turn++, lengths.size() - 1)]);
        held = std::string(held) + std::string(bytes.substr(0, length));
        bytes.remove_prefix(length);
        for (bool more = true; more;) {
            if (held.empty() && !parser.in_body()) break;
            const auto event = parser.parse(held);
            switch (event) {
                case RequestParser::Event::kNeedMore:
                    more = false;
                    break;
                case RequestParser::Event::kHead: {
                    head = held.substr(0, parser.consumed());
                    parser.head_moved(held.data(), head.data());
                    request = {};
                    break;
                }
                case RequestParser::Event::kPiece:
                    request.body += parser.piece();
                    break;
                case RequestParser::Event::kEnd: {
                    const auto& seen = parser.request();
                    request.method = seen.method_text;
                    request.target = seen.target;
                    request.authorization = seen.authorization;
                    request.idempotency_key = seen.idempotency_key;
                    request.has_key = seen.has_idempotency_key;
                    request.keep_alive = parser.keep_alive();
                    request.expects_continue = parser.expects_continue();
                    outcome.requests.push_back(request);
                    break;
                }
                case RequestParser::Event::kProblem:
                    outcome.status = parser.problem().status;
                    CHECK(!parser.problem().detail.empty());
                    return outcome;
            }
            held.erase(0, parser.consumed());
            if (event == RequestParser::Event::kEnd) parser.begin();
        }
    }
    outcome.complete = held.empty() && !parser.in_body();
    return outcome;
}

inline Outcome parse_whole(std::string_view bytes) {
    return parse_in_pieces(bytes, {bytes.size()});
}
inline Outcome parse_bytewise(std::string_view bytes) {
    return parse_in_pieces(bytes, {1});
}

// CHECKs that `bytes` are read alike whole, byte by byte, and in two pieces cut at each byte (at
// 256 places of a long text).
inline void reads_the_same_however_cut(std::string_view bytes, const Limits& limits = {}) {
    const Outcome whole = parse_in_pieces(bytes, {bytes.size()}, limits);
    CHECK(parse_in_pieces(bytes, {1}, limits) == whole);
    const std::size_t step = 1 + bytes.size() / 256;
    for (std::size_t cut = 1; cut < bytes.size(); cut += step) {
        CHECK(parse_in_pieces(bytes, {cut, bytes.size()}, limits) == whole);
    }
}

// Bounds that a short text reaches.
inline Limits small_limits() {
    Limits limits;
    limits.max_target_bytes = 16;
    limits.max_head_bytes = 128;
    limits.max_fields = 4;
    return limits;
}

}  // namespace standings::net
