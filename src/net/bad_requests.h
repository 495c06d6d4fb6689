// Requests that must be refused, for the tests of the parser and of the whole server.
#pragma once

#include <string>
#include <vector>

namespace standings::net {

struct BadRequest {
    const char* shape;
    std::string bytes;
    int status;
};

inline std::vector<BadRequest> bad_requests() {
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
    const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
    const auto many_fields = [&](int count) {
        std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
        for (int i = 1; i < count; ++i) bytes += "X-" + std::to_string(i) + ": 1\r\n";
        return bytes + "\r\n";
    };
    return {
        // Two ways to tell where the body ends.
        {"Transfer-Encoding and Content-Length",
         post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400},
        {"Content-Length and Transfer-Encoding",
         post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"two equal Content-Lengths", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
         400},
        {"two Content-Lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
        {"Content-Length list", post + "Content-Length: 1, 1\r\n\r\nx", 400},
        {"signed Content-Length", post + "Content-Length: +1\r\n\r\nx", 400},
        {"negative Content-Length", post + "Content-Length: -1\r\n\r\nx", 400},
        {"hexadecimal Content-Length", post + "Content-Length: 0x1\r\n\r\nx", 400},
        {"empty Content-Length", post + "Content-Length:\r\n\r\n", 400},
        {"Content-Length with a space in it", post + "Content-Length: 1 1\r\n\r\nx", 400},
        {"Content-Length beyond 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\nx",
         400},
        {"unknown coding", post + "Transfer-Encoding: gzip\r\n\r\n", 400},
        {"coding that looks like chunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
         400},
        {"chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400},
        {"chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
        {"identity", post + "Transfer-Encoding: identity\r\n\r\n", 400},
        {"empty coding", post + "Transfer-Encoding:\r\n\r\n", 400},
        {"quoted coding", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400},
        {"two Transfer-Encodings",
         post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"vertical tab before chunked", post + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
         400},
        {"chunked in HTTP/1.0",
         "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},

        // Hosts.
        {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"two Hosts", get + "Host: a\r\n\r\n", 400},
        {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"Host with letters as port", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n", 400},
        {"Host with half an address", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
        {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},

        // Lines.
        {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
        {"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
        {"bare LFs only", "GET / HTTP/1.1\nHost: a\n\n", 400},
        {"bare CR in a value", get + "X: a\rb\r\n\r\n", 400},
        {"CR CR LF", get + "X: a\r\r\n\r\n", 400},
        {"folded line", get + "X: a\r\n b\r\n\r\n", 400},
        {"folded line with tab", get + "X: a\r\n\tb\r\n\r\n", 400},
        {"first field folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"space before the colon", get + "X : a\r\n\r\n", 400},
        {"tab before the colon", get + "X\t: a\r\n\r\n", 400},
        {"field without a name", get + ": a\r\n\r\n", 400},
        {"field without a colon", get + "nonsense\r\n\r\n", 400},
        {"field name with a quote", get + "X\"Y: a\r\n\r\n", 400},
        {"zero byte in a value", get + std::string("X: a\0b\r\n\r\n", 10), 400},
        {"control character in a value",
         get + "X: a\x01"
               "b\r\n\r\n",
         400},
        {"delete character in a value",
         get + "X: a\x7f"
               "b\r\n\r\n",
         400},
        {"zero byte in a name", get + std::string("X\0: a\r\n\r\n", 9), 400},
        {"TLS on the plain port", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
         400},
        {"two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},

        // Request lines.
        {"no version", "GET /\r\n\r\n", 400},
        {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
        {"something after the version", "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n", 400},
        {"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"two spaces after the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"method with a bracket", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"method without end", std::string(64, 'A'), 400},
        {"fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"byte above 0x7e in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"* for another method than OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"absolute target of another host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"absolute target of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501},

        // Fields that must be single, expectations.
        {"two Authorizations", get + "Authorization: a\r\nAuthorization: b\r\n\r\n", 400},
        {"two Idempotency-Keys", post + "Idempotency-Key: a\r\nidempotency-key: a\r\n\r\n", 400},
        {"two empty Idempotency-Keys", post + "Idempotency-Key:\r\nIdempotency-Key:\r\n\r\n", 400},
        {"two If-Matches", post + "If-Match: \"1\"\r\nIf-Match: \"2\"\r\n\r\n", 400},
        {"two Content-Types", post + "Content-Type: a/b\r\nContent-Type: a/b\r\n\r\n", 400},
        {"two Content-Encodings", post + "Content-Encoding: a\r\nContent-Encoding: b\r\n\r\n", 400},
        {"two Origins", post + "Origin: a\r\nOrigin: b\r\n\r\n", 400},
        {"unknown expectation", post + "Expect: magic\r\nContent-Length: 1\r\n\r\nx", 417},

        // Sizes.
        {"long target", "GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"target without end", "GET /" + std::string(9000, 'a'), 414},
        {"large head", get + "X: " + std::string(16 * 1024, 'a') + "\r\n\r\n", 431},
        {"head without end", get + "X: " + std::string(17 * 1024, 'a'), 431},
        {"101 fields", many_fields(101), 431},

        // The chunked coding.
        {"chunk size without digits", chunked + "\r\nabc\r\n0\r\n\r\n", 400},
        {"chunk size with a letter", chunked + "g\r\nabc\r\n0\r\n\r\n", 400},
        {"chunk size with 0x", chunked + "0x3\r\nabc\r\n0\r\n\r\n", 400},
        {"signed chunk size", chunked + "+3\r\nabc\r\n0\r\n\r\n", 400},
        {"space before a chunk size", chunked + " 3\r\nabc\r\n0\r\n\r\n", 400},
        {"space after a chunk size", chunked + "3 \r\nabc\r\n0\r\n\r\n", 400},
        {"chunk size of 16 digits", chunked + "0000000000000003\r\nabc\r\n0\r\n\r\n", 400},
        {"chunk size beyond 64 bits", chunked + "fffffffffffffffff\r\nabc\r\n0\r\n\r\n", 400},
        {"bare LF after a chunk size", chunked + "3\nabc\r\n0\r\n\r\n", 400},
        {"bare LF after a chunk", chunked + "3\r\nabc\n0\r\n\r\n", 400},
        {"bare CR after a chunk", chunked + "3\r\nabc\r0\r\n\r\n", 400},
        {"chunk longer than it says", chunked + "3\r\nabcd\r\n0\r\n\r\n", 400},
        {"bare LF in a chunk extension", chunked + "3;a\nabc\r\n0\r\n\r\n", 400},
        {"zero byte in a chunk extension", chunked + std::string("3;\0\r\nabc\r\n0\r\n\r\n", 15),
         400},
        {"long chunk extension", chunked + "3;" + std::string(300, 'a') + "\r\nabc\r\n0\r\n\r\n",
         400},
        {"bare LF at the end of chunks", chunked + "0\r\n\n", 400},
        {"bare LF in trailers", chunked + "0\r\nX: a\n\r\n", 400},
        {"folded trailer", chunked + "0\r\nX: a\r\n b\r\n\r\n", 400},
        {"long trailers", chunked + "0\r\nX: " + std::string(17 * 1024, 'a') + "\r\n\r\n", 400},
    };
}

}  // namespace standings::net
