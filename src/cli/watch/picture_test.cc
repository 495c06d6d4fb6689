#include "cli/watch/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include "text/terminal_text.h"

namespace standings::cli {
namespace {

using std::chrono::milliseconds;

struct Entry {
    std::string player;
    std::string name;
    int score;
};

LiveRows rows_of(const std::vector<Entry>& entries, std::uint64_t total) {
    std::string json =
        R"({"type":"snapshot","seq":1,"total":)" + std::to_string(total) + R"(,"rows":[)";
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::string place = std::to_string(i + 1);
        json += std::string(i > 0 ? "," : "") + "{\"rank\":" + place + ",\"position\":" + place +
                ",\"player\":\"" + entries[i].player + "\",\"name\":\"" + entries[i].name +
                "\",\"score\":" + std::to_string(entries[i].score) +
                ",\"reached_at\":\"2026-11-21T00:15:00.120Z\"}";
    }
    text::JsonDocument document;
    json += "]}";
    const auto message = document.parse(json);
    EXPECT_TRUE(message);
    LiveRows rows;
    EXPECT_TRUE(rows.apply(document, **message));
    return rows;
}

std::vector<Entry> many(int count) {
    std::vector<Entry> entries;
    for (int i = 0; i < count; ++i) {
        entries.push_back({"p" + std::to_string(i), "Name " + std::to_string(i), 1000 - i});
    }
    return entries;
}

// A board that is drawn; what a test does not say is as usual.
struct Drawing {
    WatchedView view{.board = "cup", .player = {}};
    BoardHead head{.title = "Our cup", .columns = {"points"}};
    LiveRows rows = rows_of({}, 0);
    Moves moves{true};
    std::string news = {};
    bool is_connected = true;
    milliseconds now{0};

    std::string with(std::size_t columns, std::size_t lines, bool has_colour = false) const {
        return draw({.view = view,
                     .head = head,
                     .rows = rows,
                     .moves = moves,
                     .is_connected = is_connected,
                     .state = is_connected ? "live" : "no connection",
                     .news = news,
                     .now = now},
                    {.columns = columns, .lines = lines, .has_colour = has_colour});
    }
};

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(Picture, ShowsTheBoardTheRowsAndTheState) {
    Drawing drawing;
    drawing.rows = rows_of({{"ada", "Ada", 12}, {"sakura", "さくら", 9}}, 15'874);
    drawing.news = "Ada leads now";
    EXPECT_EQ(drawing.with(80, 24),
              "Our cup (cup)  15,874 players\n"
              "RANK  MOVE  PLAYER  NAME    POINTS  REACHED\n"
              "   1        ada     Ada         12  2026-11-21T00:15:00.120Z\n"
              "   2        sakura  さくら       9  2026-11-21T00:15:00.120Z\n"
              "\n"
              "● live  Ada leads now");
}

TEST(Picture, MarksWhoHasMoved) {
    Drawing drawing;
    drawing.rows = rows_of({{"a", "", 3}, {"b", "", 2}, {"c", "", 1}}, 3);
    drawing.moves.note(drawing.rows, milliseconds(0));
    drawing.rows = rows_of({{"c", "", 9}, {"a", "", 3}, {"d", "", 2}}, 4);
    drawing.moves.note(drawing.rows, milliseconds(0));
    const auto plain = lines_of(drawing.with(50, 24));
    EXPECT_EQ(plain[2].substr(0, 18), "   1    ▲2  c   ");
    EXPECT_EQ(plain[3].substr(0, 18), "   2    ▼1  a   ");
    EXPECT_EQ(plain[4].substr(0, 16), "   3   new  d   ");
    EXPECT_EQ(drawing.with(50, 24).find('\x1b'), std::string::npos);

    const auto coloured = lines_of(drawing.with(50, 24, true));
    EXPECT_NE(coloured[2].find("\x1b[32m▲2\x1b[0m"), std::string::npos) << coloured[2];
    EXPECT_NE(coloured[3].find("\x1b[31m▼1\x1b[0m"), std::string::npos) << coloured[3];
    EXPECT_NE(coloured[4].find("\x1b[33mnew\x1b[0m"), std::string::npos) << coloured[4];

    drawing.now = Moves::kShownFor;
    EXPECT_EQ(drawing.with(50, 24).find("▲"), std::string::npos);
}

TEST(Picture, SaysWhatTheBoardIsLike) {
    Drawing drawing;
    drawing.head.is_closed = true;
    drawing.is_connected = false;
    EXPECT_EQ(drawing.with(60, 24),
              "Our cup (cup)  0 players, closed\n"
              "RANK  MOVE  PLAYER  NAME  POINTS  REACHED\n"
              "No scores yet\n"
              "\n"
              "● no connection");
    drawing.head = {.title = "", .columns = {"points", "goals"}};
    drawing.view.player = "ada";
    const auto lines = lines_of(drawing.with(60, 24));
    EXPECT_EQ(lines[0], "cup  0 players");
    EXPECT_EQ(lines[1], "RANK  MOVE  PLAYER  NAME  POINTS  GOALS  REACHED");
    EXPECT_EQ(lines[2], "ada has no score here yet");
}

TEST(Picture, FitsEveryWindow) {
    Drawing drawing;
    drawing.head.title = "مسابقة طويلة جدا جدا جدا جدا جدا جدا جدا";
    drawing.view.count = 30;
    auto entries = many(30);
    entries[3].name = "さくらの花が咲く頃にまた会いましょう";
    entries[4].name = "مريم بنت محمد";
    drawing.rows = rows_of(entries, 30);
    drawing.news = "ながい名前の人 leads now";
    for (const std::size_t lines : {1u, 3u, 5u, 12u, 33u, 34u, 60u}) {
        for (const std::size_t columns : {30u, 40u, 80u, 200u}) {
            const std::string out = drawing.with(columns, lines);
            const auto drawn = lines_of(out);
            EXPECT_LE(drawn.size(), lines);
            EXPECT_LT(std::ranges::count(out, '\n'), static_cast<std::ptrdiff_t>(lines))
                << "the last line scrolls nothing";
            for (const std::string& line : drawn) {
                EXPECT_LE(text::columns_of(line), columns) << line;
            }
            const auto rows = static_cast<std::size_t>(std::ranges::count_if(
                drawn, [](const std::string& line) { return line.find("  p") < 14; }));
            EXPECT_EQ(rows, lines < 5 ? rows : std::min<std::size_t>(30, lines - 4)) << out;
            const bool says = drawn.back().find("rows do not fit") != std::string::npos;
            if (columns == 200 && lines > 4) {
                EXPECT_EQ(says, lines < 34) << out;
            }
        }
    }
}

TEST(Picture, KeepsTheOwnRowInSight) {
    Drawing drawing;
    drawing.view.player = "p15";
    drawing.view.around = 10;
    drawing.rows = rows_of(many(26), 26);
    for (const std::size_t lines : {5u, 8u, 12u}) {
        EXPECT_NE(drawing.with(80, lines).find("  p15  "), std::string::npos);
    }
    EXPECT_NE(drawing.with(80, 24, true).find("\x1b[1mp15\x1b[0m"), std::string::npos);
}

TEST(Picture, LetsNoTextSteerTheTerminal) {
    Drawing drawing;
    drawing.head.title = "a\x1b]0;owned\x07\nb";
    drawing.rows = rows_of({{"p", "x\\u001b[31m\\u202ey", 1}}, 1);
    drawing.news = "\x1b[2J leads now";
    const std::string out = drawing.with(120, 24);
    EXPECT_EQ(out.find('\x1b'), std::string::npos);
    EXPECT_EQ(out.find("\u202e"), std::string::npos);
    EXPECT_EQ(lines_of(out).size(), 5u);
}

std::string players(const std::vector<const LiveRow*>& rows) {
    std::string out;
    for (const LiveRow* row : rows) out += (out.empty() ? "" : " ") + row->player;
    return out;
}

TEST(WatchedView, CutsTheServersViewToWhatWasAskedFor) {
    const LiveRows ten = rows_of(many(10), 10);
    WatchedView top{.board = "cup", .count = 3, .player = {}};
    EXPECT_EQ(players(top.wanted(ten)), "p0 p1 p2");
    top.count = 20;
    EXPECT_EQ(top.wanted(ten).size(), 10u);
    WatchedView around{.board = "cup", .player = "p5", .around = 2};
    EXPECT_EQ(players(around.wanted(ten)), "p3 p4 p5 p6 p7");
    around.player = "p0";
    EXPECT_EQ(players(around.wanted(ten)), "p0 p1 p2");
    around.player = "p9";
    EXPECT_EQ(players(around.wanted(ten)), "p7 p8 p9");
    around.around = 0;
    EXPECT_EQ(players(around.wanted(ten)), "p9");
}

TEST(WatchedView, AsksTheServerForIt) {
    EXPECT_EQ((WatchedView{.board = "cup", .count = 3, .player = {}}).target(std::nullopt),
              "/v1/boards/cup/live?top=3");
    EXPECT_EQ((WatchedView{.board = "cup", .player = "a&b"}).target(5),
              "/v1/boards/cup/live?player=a%26b&rate=5");
    EXPECT_EQ((WatchedView{.board = "cup", .player = "a", .around = 7}).target(std::nullopt),
              "/v1/boards/cup/live?around=a&span=7");
}

}  // namespace
}  // namespace standings::cli
