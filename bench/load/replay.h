#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "message.h"

namespace load {

// What is watched: the first rows, those around a player, or a player's own.
struct View {
    enum class Kind : std::uint8_t { kTop, kAround, kPlayer };

    Kind kind = Kind::kTop;
    std::uint64_t size = 0;  // rows of kTop; of kAround those on each side
    std::string player;

    std::string json() const;
    // As a server calls it.
    std::string name(const std::string& board) const;
    // Why these rows cannot be the view's, or nothing. They are in order of position.
    std::string complaint(const std::vector<SharedRow>& rows, std::uint64_t total) const;
};

// The rows of a view as a watcher has them at a seq. Watchers that have the same share one.
struct Rows {
    std::uint64_t number = 0;  // no two have the same
    std::string view;
    std::string epoch;
    std::uint64_t seq = 0;
    std::vector<SharedRow> rows;  // in order of position
};
using SharedRows = std::shared_ptr<const Rows>;

struct Complaint {
    bool is_gap = false;  // the delta does not follow from what the watcher has
    std::string what;
};

// Applies messages to rows, and says which stream is wrong. Rows are followed for each watcher on
// its own; what many have to apply to the same rows is applied once. Two that come to a seq on
// different ways must have the same rows there. Bounded: the last kMost results are known.
class Replay {
  public:
    // What a watcher has after `message`, which is of this view, that had `before`, which may be
    // nothing. `resumes`: a delta may fold several, of which some undid others.
    std::variant<SharedRows, Complaint> apply(const View& view, const SharedRows& before,
                                              const Message& message, bool resumes);

  private:
    static constexpr std::size_t kMost = 20'000;

    using Step = std::tuple<std::uint64_t, std::uint64_t, bool>;  // rows, message, resumes
    struct Hash {
        std::size_t operator()(const Step& step) const;
    };

    std::variant<SharedRows, Complaint> compute(const View& view, const SharedRows& before,
                                                const Message& message, bool resumes);
    std::variant<SharedRows, Complaint> share(Rows rows);

    std::unordered_map<Step, SharedRows, Hash> steps_;
    std::deque<Step> in_order_;
    // By view, epoch and seq.
    using Place = std::tuple<std::string, std::string, std::uint64_t>;
    std::map<Place, SharedRows> shared_;
    std::deque<Place> places_;
    std::uint64_t next_number_ = 1;
};

}  // namespace load
