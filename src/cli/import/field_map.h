// What a column of a file, or a member of its objects, means for a submission.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ranking/rules.h"

namespace standings::cli {

struct FieldTarget {
    enum class Kind : std::uint8_t {
        kIgnored,
        kPlayer,
        kScore,
        kScores,
        kName,
        kMeta,
        kOccurredAt
    };
    Kind kind = Kind::kIgnored;
    std::size_t column = 0;  // of kScore
    friend bool operator==(const FieldTarget&, const FieldTarget&) = default;
};

// `--map from=to`; `to` is empty where the column is to be ignored.
struct Renaming {
    std::string from;
    std::string to;
};
// Reads "user=player,pts=score,notes=". Fails with kSettings.
base::Result<std::vector<Renaming>> parse_renamings(std::string_view text);

// The words that a file may use for a board: player, name, meta, occurred_at, the board's column
// names, `score` for its only column, `scores` for an object of all. What only an export has (rank,
// position, reached_at, submissions) is ignored where it is none of these. Immutable.
class FieldMap {
  public:
    // Fails with kSettings when a renaming leads to nothing that the board knows, or two have the
    // same source.
    static base::Result<FieldMap> make(std::vector<Renaming> renamings,
                                       std::vector<ranking::Column> columns);

    // None: nobody has said what this is. O(the board's columns and the renamings).
    std::optional<FieldTarget> target_of(std::string_view source) const;
    // Says that `source` means nothing here, and what to do.
    base::Error unknown(std::string_view source) const;

    const std::vector<ranking::Column>& columns() const { return columns_; }
    // The same of a word written otherwise: "Player" for player.
    std::optional<FieldTarget> likely_target_of(std::string_view source) const;
    // What the renamings say: the same text for all that say the same, in any order and words.
    std::string text() const;
    const std::vector<Renaming>& renamings() const { return renamings_; }
    // What a target is called in messages.
    std::string name_of(FieldTarget target) const;

  private:
    FieldMap(std::vector<Renaming> renamings, std::vector<ranking::Column> columns)
        : renamings_(std::move(renamings)), columns_(std::move(columns)) {}
    std::optional<FieldTarget> meaning_of(std::string_view word) const;
    std::optional<FieldTarget> unless_renamed(std::string_view source) const;

    std::vector<Renaming> renamings_;
    std::vector<ranking::Column> columns_;
};

}  // namespace standings::cli
