// What an import says at its end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace standings::cli {

struct ImportSummary {
    struct ShownRow {
        std::uint64_t line;
        std::string json;
    };
    std::string board;
    bool dry_run = false;
    std::vector<ShownRow> first_rows;  // of a dry run
    std::uint64_t rows = 0;
    std::uint64_t accepted = 0;  // with those that were there before
    std::uint64_t rejected = 0;
    std::uint64_t in_file = 0;        // of the rejected, those that the file names
    std::uint64_t already_there = 0;  // when the last connection began
    std::uint64_t seq = 0;
    double seconds = 0;
    std::string rejects_path;
    bool from_redis = false;
    std::uint64_t rounded = 0;
    std::string checksum;
    std::string mismatch;  // a sentence; empty: all is well

    std::uint64_t unnamed() const { return rejected - std::min(rejected, in_file); }
};

// On standard output, a table or one JSON object; a mismatch on standard error as well.
void print_summary(const ImportSummary& summary, bool as_json);

}  // namespace standings::cli
