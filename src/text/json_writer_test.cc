#include "text/json_writer.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>
#include <string_view>

namespace standings::text {
namespace {

// One byte after the other.
std::string escaped(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n' || c == '\t' || c == '\r') {
            out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
        } else if (byte < 0x20 || byte == 0x7F || c == '<') {
            char hex[8];
            std::snprintf(hex, sizeof hex, "\\u%04x", byte);
            out += hex;
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string written(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(JsonString, EscapesEachByteThatNeedsItWhereverItStands) {
    for (int c = 0; c < 256; ++c) {
        for (std::size_t size = 1; size <= 17; ++size) {
            for (std::size_t at = 0; at < size; ++at) {
                std::string text(size, 'x');
                text[at] = static_cast<char>(c);
                ASSERT_EQ(written(text), escaped(text)) << "byte " << c << " at " << at;
            }
        }
    }
    EXPECT_EQ(written(""), "\"\"");
}

TEST(JsonString, AgreesWithOneByteAfterTheOther) {
    std::mt19937_64 random(11);
    constexpr std::string_view kBytes = "ab\"\\<\n\x01\x1f\x20\x7f\x80\xa2\xbc\xdc\xff";
    for (int i = 0; i < 20'000; ++i) {
        std::string text(random() % 40, ' ');
        for (char& c : text) c = kBytes[random() % kBytes.size()];
        ASSERT_EQ(written(text), escaped(text));
    }
}

}  // namespace
}  // namespace standings::text
