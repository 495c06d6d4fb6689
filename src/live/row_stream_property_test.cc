// A client that applies what it gets, however it is cut off, slow or put back, has the rows that a
// fresh read at the same seq gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "live/row_stream.h"
#include "ranking/test_seed.h"
#include "text/json_document.h"

namespace standings::live {
namespace {

// A ranking of few players with few scores, so that they often pass each other.
class Game {
  public:
    explicit Game(std::uint64_t seed)
        : random_(seed), top_(1 + below(8)), center_(name(below(12))) {
        is_around_ = below(2) == 0;
    }

    std::uint64_t below(std::uint64_t most) { return random_() % most; }

    void change() {
        ++seq_;
        const std::string player = name(below(12));
        if (below(5) == 0) {
            scores_.erase(player);
        } else {
            scores_[player] = {below(6), seq_};
        }
    }

    Reading read() {
        std::vector<std::pair<std::pair<std::uint64_t, std::uint64_t>, std::string>> order;
        for (const auto& [player, score] : scores_) {
            order.push_back({{9 - score.first, score.second}, player});
        }
        std::ranges::sort(order);
        std::size_t from = 0;
        std::size_t to = std::min<std::size_t>(top_, order.size());
        if (is_around_) {
            const auto at =
                std::ranges::find(order, center_, [](const auto& row) { return row.second; });
            const auto place = static_cast<std::size_t>(at - order.begin());
            from = at == order.end() || place < 2 ? 0 : place - 2;
            to = at == order.end() ? 0 : std::min(place + 3, order.size());
        }
        Reading reading{{seq_}, order.size(), {}};
        for (std::size_t i = from; i < to; ++i) {
            const auto& [key, player] = order[i];
            reading.rows.push_back(
                {player, "{\"position\":" + std::to_string(i + 1) + ",\"player\":\"" + player +
                             "\",\"score\":" + std::to_string(9 - key.first) + "}"});
        }
        return reading;
    }

  private:
    static std::string name(std::uint64_t number) { return "p" + std::to_string(number); }

    std::mt19937_64 random_;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> scores_;
    std::uint64_t seq_ = 1;
    std::size_t top_;
    std::string center_;
    bool is_around_;
};

class Client {
  public:
    std::uint64_t seq = 0;
    std::uint64_t total = 0;
    bool connected = false;

    void apply(const Frame& frame) {
        const auto parsed = json_.parse(frame.json);
        CHECK(parsed);
        const text::JsonNode& message = **parsed;
        const std::string_view type = json_.member(message, "type")->text;
        if (type == "snapshot") {
            rows_.clear();
            take(*json_.member(message, "rows"));
        } else if (type == "delta") {
            CHECK(number(message, "prev") == seq);
            json_.for_each(*json_.member(message, "leave"), [&](const text::JsonNode& player) {
                CHECK(rows_.erase(std::string(player.text)) == 1);
            });
            take(*json_.member(message, "upsert"));
        } else {
            CHECK(type == "beat");
        }
        if (type != "beat") total = number(message, "total");
        seq = number(message, "seq");
        CHECK(seq == frame.seq.value);
    }

    // In the order of their positions.
    std::vector<std::string> rows() const {
        std::map<std::uint64_t, std::string> ordered;
        for (const auto& [player, row] : rows_) CHECK(ordered.insert(row).second);
        std::vector<std::string> texts;
        for (const auto& [position, json] : ordered) texts.push_back(json);
        return texts;
    }

  private:
    std::uint64_t number(const text::JsonNode& object, std::string_view key) const {
        return std::stoull(std::string(json_.member(object, key)->text));
    }

    void take(const text::JsonNode& rows) {
        json_.for_each(rows, [&](const text::JsonNode& row) {
            std::string json;
            json_.write(row, json);
            rows_[std::string(json_.member(row, "player")->text)] = {number(row, "position"), json};
        });
    }

    text::JsonDocument json_;
    std::map<std::string, std::pair<std::uint64_t, std::string>> rows_;
};

std::vector<std::string> texts(const Reading& reading) {
    std::vector<std::string> all;
    for (const Row& row : reading.rows) all.push_back(row.json);
    return all;
}

struct Counts {
    int resumed = 0;
    int unknown = 0;
};

void clients_have_what_a_fresh_read_gives(std::uint64_t seed, Counts& counts) {
    Game game(seed);
    std::map<std::uint64_t, Reading> at;
    const Reading first = game.read();
    at[first.seq.value] = first;
    RowStream stream("b/all/top/10", "k3", first);
    std::vector<Client> clients(5);

    const auto hear = [&](Client& client, const SharedFrame& frame) {
        client.apply(*frame);
        CHECK(client.rows() == texts(at.at(client.seq)));
        CHECK(client.total == at.at(client.seq).total);
    };
    const auto tell_all = [&](const SharedFrame& frame) {
        if (!frame) return;
        for (Client& client : clients) {
            if (client.connected) hear(client, frame);
        }
    };
    const auto come_back = [&](Client& client) {
        client.connected = true;
        const auto resumed = stream.resume({client.seq});
        ++(resumed ? counts.resumed : counts.unknown);
        if (!resumed) return hear(client, stream.snapshot());
        if (resumed->frame) hear(client, resumed->frame);
        CHECK(client.seq == stream.seq().value);
    };

    for (int step = 0; step < 4000; ++step) {
        Client& client = clients[game.below(clients.size())];
        switch (game.below(12)) {
            case 0:
                client.connected = false;
                break;
            case 1:
            case 2:
                if (!client.connected) come_back(client);
                break;
            case 3:  // was slow
                if (client.connected) hear(client, stream.snapshot());
                break;
            case 4:
                tell_all(stream.beat());
                break;
            case 5:
            case 6:
            case 7: {
                const Reading reading = game.read();
                at[reading.seq.value] = reading;
                tell_all(stream.publish(reading));
                break;
            }
            default:
                game.change();
        }
    }
}

TEST(RowStreamProperty, ClientsHaveWhatAFreshReadGives) {
    Counts counts;
    ranking::run_seeds(
        30, [&](std::uint64_t seed) { clients_have_what_a_fresh_read_gives(seed, counts); });
    if (std::getenv("STANDINGS_SEED") == nullptr) {
        EXPECT_GT(counts.resumed, 1000);
        EXPECT_GT(counts.unknown, 100);
    }
}

}  // namespace
}  // namespace standings::live
