// What the server refused of an import, row by row, kept in a file as it comes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "cli/import/input.h"

namespace standings::cli {

// Before the reasons that the server gave.
inline constexpr std::string_view kServerSaid = "The server: ";

// Over all connections and runs of one import. The server says each refusal once, so each is in the
// file as soon as keep() has returned, whatever ends the process then. Equal reasons are held once:
// millions of refusals cost 16 bytes each. One thread.
class Refusals {
  public:
    struct Refusal {
        std::uint64_t record;  // 1, 2, 3 ...: the line of the stream
        const std::string* reason;
    };

    // `path` is where they are kept; empty: nowhere. `import` is the key of the import.
    Refusals(std::string path, std::string import);

    // Takes over those of this import that a file names: one of these, or one of rejects. O(its
    // size); nothing where there is none. Fails with kIo.
    base::Result<void> read(const std::string& path);
    // `reason` is the server's own.
    void add(std::uint64_t record, std::string_view reason);
    // What was added is in the file. Fails with kIo.
    base::Result<void> keep();
    // Removes the file: what it names stands elsewhere.
    void forget();

    // In the order of the records, each once.
    const std::vector<Refusal>& by_record();
    std::size_t count() { return by_record().size(); }
    const std::string& path() const { return path_; }
    const std::string& import() const { return import_; }

  private:
    void hold(std::uint64_t record, std::string_view reason);
    void write_later(std::uint64_t record, std::string_view said);
    bool is_forgotten() const;

    const std::string path_;
    const std::string import_;
    std::unordered_set<std::string> reasons_;  // what it holds does not move
    std::vector<Refusal> refusals_;
    bool in_order_ = true;
    Descriptor file_;     // none before there is something to keep
    std::string unkept_;  // text for the file
};

// The key of the import whose refusals a file of rejects names; empty: it names none. Fails with
// kIo.
base::Result<std::string> import_named_in(const std::string& path);

}  // namespace standings::cli
