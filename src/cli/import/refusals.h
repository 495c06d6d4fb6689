// What the server refused of an import, line by line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace standings::cli {

// In the order of the lines, over all connections of a run; equal reasons are kept once, so that
// millions cost 16 bytes each. One thread.
class Refusals {
  public:
    struct Refusal {
        std::uint64_t line;  // of the stream
        const std::string* reason;
    };

    void add(std::uint64_t line, std::string_view reason) {
        refusals_.push_back({line, &*reasons_.emplace(reason).first});
    }
    const std::vector<Refusal>& all() const { return refusals_; }

  private:
    std::unordered_set<std::string> reasons_;  // what it holds does not move
    std::vector<Refusal> refusals_;
};

}  // namespace standings::cli
