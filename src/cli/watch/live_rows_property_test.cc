// Rows that are kept by what the server's own streams say, over however many connections, are what
// a fresh read at the same seq gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cli/watch/live_rows.h"
#include "live/row_stream.h"
#include "ranking/test_seed.h"

namespace standings::cli {
namespace {

// A ranking of few players with few scores, so that they often pass each other and share ranks.
class Game {
  public:
    explicit Game(std::uint64_t seed) : random_(seed), size_(1 + below(8)) {}

    std::uint64_t below(std::uint64_t most) { return random_() % most; }

    void change() {
        ++seq_;
        const std::string player = "p" + std::to_string(below(12));
        if (below(5) == 0) {
            scores_.erase(player);
        } else {
            scores_[player] = below(6);
        }
    }

    live::Reading read() const {
        std::vector<std::pair<std::uint64_t, std::string>> order;
        for (const auto& [player, score] : scores_) order.emplace_back(9 - score, player);
        std::ranges::sort(order);
        live::Reading reading{{seq_}, order.size(), {}};
        std::size_t rank = 1;
        for (std::size_t i = 0; i < std::min(size_, order.size()); ++i) {
            if (i > 0 && order[i].first != order[i - 1].first) rank = i + 1;
            const auto& [key, player] = order[i];
            reading.rows.push_back({player, "{\"rank\":" + std::to_string(rank) + ",\"position\":" +
                                                std::to_string(i + 1) + ",\"player\":\"" + player +
                                                "\",\"name\":\"\\u00e9 " + player +
                                                "\",\"score\":" + std::to_string(9 - key) + "}"});
        }
        return reading;
    }

  private:
    std::mt19937_64 random_;
    std::map<std::string, std::uint64_t> scores_;
    std::uint64_t seq_ = 1;
    std::size_t size_;
};

// As a document writes it: "\u00e9" is "é".
std::string rewritten(const std::string& json) {
    text::JsonDocument document;
    const auto parsed = document.parse(json);
    CHECK(parsed);
    std::string out;
    document.write(**parsed, out);
    return out;
}

struct Client {
    LiveRows rows;
    bool is_connected = false;
};

void rows_are_what_a_fresh_read_gives(std::uint64_t seed) {
    Game game(seed);
    std::map<std::uint64_t, live::Reading> at;
    at[game.read().seq.value] = game.read();
    live::RowStream stream("b/all/top/10", "k3", game.read());
    std::vector<Client> clients(4);
    text::JsonDocument document;

    const auto check = [&](const LiveRows& rows) {
        const auto in_order = rows.in_order();
        const live::Reading& fresh = at.at(rows.seq());
        CHECK(in_order.size() == fresh.rows.size());
        for (std::size_t i = 0; i < in_order.size(); ++i) {
            CHECK(in_order[i]->player == fresh.rows[i].player);
            CHECK(in_order[i]->json == rewritten(fresh.rows[i].json));
            CHECK(in_order[i]->position == i + 1);
            CHECK(in_order[i]->name == "é " + in_order[i]->player);
        }
        CHECK(rows.view() == "b/all/top/10");
    };
    const auto hear = [&](Client& client, const live::SharedFrame& frame) {
        if (!frame) return;
        if (frame->kind == live::FrameKind::kBeat) {
            client.rows.beat(frame->seq.value);
        } else {
            const auto message = document.parse(frame->json);
            CHECK(message);
            CHECK(client.rows.apply(document, **message));
            CHECK(client.rows.seq() == frame->seq.value);
        }
        check(client.rows);
    };
    const auto tell_all = [&](const live::SharedFrame& frame) {
        for (Client& client : clients) {
            if (client.is_connected) hear(client, frame);
        }
    };

    for (int step = 0; step < 2000; ++step) {
        Client& client = clients[game.below(clients.size())];
        switch (game.below(10)) {
            case 0:
                client.is_connected = false;
                break;
            case 1:
            case 2: {
                if (std::exchange(client.is_connected, true)) break;
                const auto resumed = stream.resume({client.rows.seq()});
                hear(client, resumed ? resumed->frame : stream.snapshot());
                CHECK(client.rows.seq() == stream.seq().value);
                break;
            }
            case 3:
                tell_all(stream.beat());
                break;
            case 4:
            case 5:
            case 6: {
                const live::Reading reading = game.read();
                at[reading.seq.value] = reading;
                tell_all(stream.publish(reading));
                break;
            }
            default:
                game.change();
        }
    }
}

TEST(LiveRowsProperty, RowsAreWhatAFreshReadGives) {
    ranking::run_seeds(30, rows_are_what_a_fresh_read_gives);
}

bool takes(LiveRows& rows, const std::string& json) {
    text::JsonDocument document;
    const auto message = document.parse(json);
    EXPECT_TRUE(message) << json;
    return rows.apply(document, **message);
}

std::string snapshot(const std::string& rows) {
    return R"({"view":"b/all/top/10","type":"snapshot","epoch":"k3","seq":5,"total":2,"rows":[)" +
           rows + "]}";
}

std::string row(int position, const std::string& player) {
    return "{\"rank\":1,\"position\":" + std::to_string(position) + ",\"player\":\"" + player +
           "\",\"score\":1}";
}

TEST(LiveRows, TakesNothingThatDoesNotFollow) {
    const std::string begin = snapshot(row(1, "a") + "," + row(2, "b"));
    const std::string head = R"({"view":"b/all/top/10","type":"delta",)";
    for (const std::string& wrong : {
             head + R"("prev":4,"seq":9,"total":2,"upsert":[],"leave":["a"]})",
             head + R"("prev":5,"seq":9,"total":2,"upsert":[],"leave":["c"]})",
             head + R"("prev":5,"seq":9,"total":2,"upsert":[],"leave":[1]})",
             head + R"("prev":5,"seq":9,"total":2,"upsert":[{}],"leave":[]})",
             head + R"("prev":5,"seq":9,"total":2,"upsert":[5],"leave":[]})",
             head + R"("prev":5,"seq":9,"total":2,"upsert":{},"leave":[]})",
             head + R"("prev":5,"seq":9,"total":2,"leave":[]})",
             head + R"("prev":5,"seq":-9,"total":2,"upsert":[],"leave":[]})",
             head + R"("prev":5,"seq":9,"upsert":[],"leave":[]})",
             head + R"("prev":"5","seq":9,"total":2,"upsert":[],"leave":[]})",
             std::string(R"({"type":"other","prev":5,"seq":9,"total":2})"),
             std::string(R"({"type":"snapshot","seq":9,"total":2})"),
             std::string("[]"),
         }) {
        LiveRows rows;
        ASSERT_TRUE(takes(rows, begin));
        EXPECT_FALSE(takes(rows, wrong)) << wrong;
        EXPECT_EQ(rows.in_order().size(), 2u) << "none of it is applied: " << wrong;
        EXPECT_EQ(rows.seq(), 5u);
        EXPECT_TRUE(takes(rows, head + R"("prev":5,"seq":9,"total":1,"upsert":[],"leave":["a"]})"));
        EXPECT_TRUE(takes(rows, begin)) << "a snapshot begins anew";
    }
}

TEST(LiveRows, HoldsNoMoreThanTheLargestView) {
    std::string many;
    for (int i = 1; i <= 100; ++i) many += (i > 1 ? "," : "") + row(i, "p" + std::to_string(i));
    LiveRows rows;
    EXPECT_TRUE(takes(rows, snapshot(many)));
    EXPECT_FALSE(takes(rows, R"({"type":"delta","prev":5,"seq":6,"total":2,"leave":[],"upsert":[)" +
                                 row(101, "one-more") + "]}"));
    EXPECT_FALSE(takes(rows, snapshot(many + "," + row(101, "one-more"))));
    EXPECT_EQ(rows.in_order().size(), 100u);
}

}  // namespace
}  // namespace standings::cli
