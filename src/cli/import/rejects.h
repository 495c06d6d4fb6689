// The file of rows that could not be imported, with reasons.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace standings::cli {

// The key of the import to which the rows of a file of rejects belong; empty: it says none, or is
// no such file. O(1).
std::string import_of(const std::string& path);

// Nothing but an earlier file of rejects is replaced, or removed where there are none: fails with
// kSettings when `rejects` is the file to be imported, or holds something else.
base::Result<void> spare_files(const std::string& rejects, const std::string& input);

// "scores.csv.rejects.WORD.ndjson" of "scores.csv.rejects.ndjson"; a name without that ending gets
// the word at its end.
std::string beside(const std::string& rejects, std::string_view word);
// Where the rejects of an import are kept aside once another one needs `rejects`.
std::string aside_of(const std::string& rejects, std::string_view import);
// Where what the server refuses of an import is kept until `rejects` has it.
std::string refused_of(const std::string& rejects, std::string_view import);

// NDJSON of {"line":12,"reason":"...","row":"...","import":"..."}, written beside its place and
// moved there by finish(): a run that is stopped leaves the file of an earlier run alone. What the
// server refused has "record" as well, and a file with such rows of another import is kept aside. A
// link is followed, an earlier file's mode is kept; a device or a pipe is written into at the end.
// One thread.
class Rejects {
  public:
    explicit Rejects(std::string path);
    ~Rejects();
    Rejects(const Rejects&) = delete;
    Rejects& operator=(const Rejects&) = delete;

    // Once, before the first row: finds out whether it can be written. Fails with kIo.
    base::Result<void> open();

    // By its key, before the first row; a dry run has none.
    void belong_to(std::string import) { import_ = std::move(import); }
    // With `record`, the server has refused it. A failure to write is kept, and told by finish().
    void add(std::uint64_t line, std::string_view reason, std::string_view row,
             std::optional<std::uint64_t> record = {});
    // Forgets all, for another pass.
    void start_over();
    // What was added is on the disk, beside its place: finish() is then a matter of renaming.
    void settle();
    // The file is there, on the disk: that of this run or, without rejects, none. What the server
    // refused of this import must be among these. Fails with kIo.
    base::Result<void> finish();

    std::uint64_t count() const { return count_; }
    const std::string& path() const { return path_; }
    // False for a device or a pipe: beside it nothing can be kept.
    bool is_file() const { return !unfinished_.empty(); }
    // What is not there after finish(), and without use before it.
    const std::string& unfinished() const { return unfinished_; }
    // Where finish() has put the file of another import; empty: there was none.
    const std::string& kept_aside() const { return kept_aside_; }
    // Whether finish() has removed the file of an earlier run, as this one has no rejects.
    bool removed_earlier() const { return removed_earlier_; }

  private:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    using File = std::unique_ptr<std::FILE, Closer>;
    File new_file() const;
    base::Error failed() const;
    void move_into_place();
    void copy_into_place();

    std::string path_;
    std::string import_;      // its key; empty: none
    std::string unfinished_;  // empty: no ordinary file
    File file_;
    File target_;  // the device or the pipe
    std::uint64_t count_ = 0;
    int failure_ = 0;  // errno of the first
    std::string text_;
    std::string kept_aside_;
    bool removed_earlier_ = false;
};

}  // namespace standings::cli
