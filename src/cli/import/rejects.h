// The file of rows that could not be imported, with reasons.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"

namespace standings::cli {

// Nothing but an earlier file of rejects is replaced, or removed where there are none: fails with
// kSettings when `rejects` is the file to be imported, or holds something else.
base::Result<void> spare_files(const std::string& rejects, const std::string& input);

// Before the reasons that the server gave.
inline constexpr std::string_view kServerSaid = "The server: ";

// A row that the server refused in an earlier run.
struct EarlierReject {
    std::string reason;
    std::string row;
};
// Those of the file of rejects at `path`, by line; none where there is no such file. O(its size).
std::unordered_map<std::uint64_t, EarlierReject> read_server_rejects(const std::string& path);

// NDJSON of {"line":12,"reason":"...","row":"..."}, written beside its place and moved there by
// finish(): a run that is stopped leaves the file of an earlier run alone. A link is followed, an
// earlier file's mode is kept; a device or a pipe is written into. One thread.
class Rejects {
  public:
    explicit Rejects(std::string path);
    ~Rejects();
    Rejects(const Rejects&) = delete;
    Rejects& operator=(const Rejects&) = delete;

    // A failure to write is kept, and told by finish().
    void add(std::uint64_t line, std::string_view reason, std::string_view row);
    // Forgets all, for another pass.
    void start_over();
    // The file is there: that of this run or, without rejects, none. Fails with kIo.
    base::Result<void> finish();

    std::uint64_t count() const { return count_; }
    const std::string& path() const { return path_; }

  private:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::FILE* open() const;

    std::string path_;
    std::string unfinished_;  // empty: path_ is written into as it is
    std::unique_ptr<std::FILE, Closer> file_;
    std::uint64_t count_ = 0;
    int failure_ = 0;  // errno of the first
    std::string text_;
};

}  // namespace standings::cli
