#include "cli/watch/event_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace standings::cli {
namespace {

// An event as a line: "snapshot id=k3:5 data={} retry=1500"; what is missing is left out.
std::string text_of(const ServerEvent& event) {
    std::string out = event.name;
    if (event.id) out += " id=" + *event.id;
    if (event.data) out += " data=" + *event.data;
    if (event.retry) out += " retry=" + std::to_string(event.retry->count());
    return out;
}

using Events = std::vector<std::string>;

Events read(const std::vector<std::string_view>& pieces) {
    EventReader reader;
    Events events;
    for (const std::string_view piece : pieces) {
        EXPECT_TRUE(reader.feed(piece, [&](const ServerEvent& event) {
            events.push_back(text_of(event));
            return true;
        }));
    }
    return events;
}

// What a server of ours sends.
constexpr std::string_view kStream =
    "retry: 1500\n\n"
    "id: k3:5\nevent: snapshot\ndata: {\"seq\":5}\n\n"
    ":\n\n"
    "event: event\ndata: {\"kind\":\"frozen\"}\n\n"
    "id: k3:9\n\n"
    "retry: 2310\nevent: bye\ndata: {}\n\n";
const Events kEvents = {" retry=1500", "snapshot id=k3:5 data={\"seq\":5}",
                        "event data={\"kind\":\"frozen\"}", " id=k3:9", "bye data={} retry=2310"};

std::string with_line_ends(std::string_view stream, std::string_view end) {
    std::string out;
    for (const char c : stream) {
        if (c == '\n') {
            out += end;
        } else {
            out += c;
        }
    }
    return out;
}

TEST(EventReader, TakesAStreamApartHoweverItIsCut) {
    for (const std::string_view end : {"\n", "\r\n", "\r"}) {
        const std::string stream = with_line_ends(kStream, end);
        EXPECT_EQ(read({stream}), kEvents);
        const std::string_view all = stream;
        for (std::size_t cut = 0; cut <= all.size(); ++cut) {
            EXPECT_EQ(read({all.substr(0, cut), all.substr(cut)}), kEvents) << cut;
        }
        std::vector<std::string_view> bytes;
        for (std::size_t at = 0; at < all.size(); ++at) bytes.push_back(all.substr(at, 1));
        EXPECT_EQ(read(bytes), kEvents);
    }
}

TEST(EventReader, ReadsFieldsAsTheStandardHasThem) {
    EXPECT_EQ(read({"data:a\ndata:  b\ndata\n\n"}), (Events{" data=a\n b\n"}));
    EXPECT_EQ(read({"id\n\n"}), (Events{" id="})) << "an empty one counts";
    EXPECT_EQ(read({std::string_view("id: a\0b\ndata: x\n\n", 17)}), (Events{" data=x"}));
    EXPECT_EQ(read({"retry: soon\n\nretry: -1\n\nretry: 12x\n\n"}), (Events{"", "", ""}));
    EXPECT_EQ(read({"color: red\n\n: said nothing\n\n\n\n"}), Events()) << "unknown, or none";
    EXPECT_EQ(read({"data: half an event"}), Events());
}

TEST(EventReader, EndsWhereItIsToldTo) {
    EventReader reader;
    int taken = 0;
    EXPECT_FALSE(reader.feed("id: 1\n\nid: 2\n\n", [&](const ServerEvent&) {
        ++taken;
        return false;
    }));
    EXPECT_EQ(taken, 1);
}

TEST(EventReader, HoldsNoEventWithoutAnEnd) {
    const auto take = [](const ServerEvent&) { return true; };
    const std::string large(EventReader::kMaxEvent / 4, 'x');
    EventReader in_a_line;
    EventReader in_many;
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(in_a_line.feed(large, take));
        EXPECT_TRUE(in_many.feed("data: " + large + '\n', take));
    }
    EXPECT_FALSE(in_a_line.feed(large + "xx", take));
    EXPECT_FALSE(in_many.feed("data: " + large + '\n', take));
    EventReader with_ends;
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(with_ends.feed("data: " + large + "\n\n", take));
}

}  // namespace
}  // namespace standings::cli
