// What is worth telling about the boards, found by looking at them as any reader would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "demo/game.h"
#include "engine/engine.h"
#include "engine/queries.h"

namespace standings::demo {

// The player id that the demo invites people to submit as.
inline constexpr std::string_view kYou = "you";

// One thing that happened, the most telling kinds first.
struct News {
    enum class Kind : std::uint8_t {
        kEntered,  // somebody who is not of the game is on the board
        kClimbed,  // ... and is ahead of where they were, by scores of their own
        kPassed,   // ... and was overtaken, among the first hundred
        kLeader,   // somebody else leads
        kTop,      // a player is new among the first ten, or better placed there
    };
    Kind kind;
    std::string board;
    std::string player;  // the id
    std::string name;    // or the id, where there is none
    std::uint32_t position = 0;
    std::string score;      // all columns, as on the board
    std::string passed_by;  // kPassed: the name, empty where it is not known
};

// "you entered speedrun at #3 with 61.402". Names are cut to `name_columns`, and can hold nothing
// that steers a terminal.
std::string tell(const News& news, std::size_t name_columns);

// Compares the tops of the boards and the places of guests with what they were at the last look.
// Owner and thread: whoever tells. A look costs some microseconds of reading per board.
class NewsRoom {
  public:
    // `players`: how many are of the game; everybody else is a guest.
    NewsRoom(engine::Engine& engine, std::size_t players) : engine_(engine), players_(players) {}

    // What happened since the last look, most telling first. The first look tells nothing.
    std::vector<News> look();

  private:
    struct Guest {
        std::uint32_t position;
        std::string score;
    };
    struct Seen {
        bool looked = false;
        base::Sequence seq;
        std::vector<std::string> top;  // ids of the first rows
        std::map<std::string, Guest> guests;
    };

    void look_at(const engine::HostedBoard& board, Seen& seen, std::vector<News>& news);
    void follow_guests(const engine::HostedBoard& board, Seen& seen,
                       const std::vector<std::string>& top, std::vector<News>& news);
    std::string passer(const Seen& seen, const std::vector<std::string>& top,
                       const std::string& id);
    std::string name_of(const engine::Page& page, std::size_t row);
    News about(News::Kind kind, const engine::HostedBoard& board, const engine::Page& page,
               std::size_t row);

    engine::Engine& engine_;
    const std::size_t players_;
    std::map<std::string, Seen> seen_;
    engine::Page top_;
    engine::Page own_;
};

}  // namespace standings::demo
