// The settings of one run: what holds, and where it came from.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "settings/table.h"
#include "settings/value.h"

namespace standings::settings {

// The later wins.
enum class Source : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };
std::string_view name_of(Source source);

struct Settled {
    Value value;
    Source source = Source::kDefault;
    std::string where;  // "standings.toml:12", "STANDINGS_LISTEN", "--listen"
};

using Environment = std::map<std::string, std::string, std::less<>>;
Environment process_environment();

// What was said, by place. A secret's `file` says that the text is the path of a file with it.
struct Flag {
    std::size_t index;
    std::string text;
    bool file = false;
};
using Chosen = std::bitset<kTable.size()>;
struct Inputs {
    std::vector<Flag> flags;
    // The settings that the command uses. What is said of another one is not looked at: a server's
    // variable that is wrong stops no client.
    Chosen used = Chosen().set();
    std::optional<std::string> config;  // --config
    Environment environment;
    // What concerns a server is read from ./standings.toml when no file is named. What concerns a
    // client is not: a file that happens to lie in a folder must not choose where a key is sent to.
    bool look_in_working_directory = false;
};

// Owner: whoever settled them; read-only, so any thread.
class Values {
  public:
    // Flag before environment before file before default. kSettings names everything that is
    // wrong, one line each.
    static base::Result<Values> settle(const Inputs& inputs);
    // The same with what is wrong in `problems`; in its place holds what comes next.
    static Values settle(const Inputs& inputs, std::vector<std::string>& problems);

    std::uint64_t bytes(Key<Type::kBytes> key) const { return number(key.index); }
    std::uint64_t count(Key<Type::kCount> key) const { return number(key.index); }
    bool flag(Key<Type::kFlag> key) const { return number(key.index) != 0; }
    std::chrono::milliseconds duration(Key<Type::kDuration> key) const {
        return std::chrono::milliseconds(number(key.index));
    }
    const std::string& text(
        Key<Type::kText, Type::kAddress, Type::kPath, Type::kChoice, Type::kSecret> key) const {
        return all_[key.index].value.text;
    }
    const Settled& at(std::size_t index) const { return all_[index]; }

    // The file that was read; empty: none.
    const std::string& file() const { return file_; }
    // Sentences about what is odd but harmless.
    const std::vector<std::string>& warnings() const { return warnings_; }

  private:
    friend class Settler;
    std::uint64_t number(std::size_t index) const {
        return static_cast<std::uint64_t>(all_[index].value.number);
    }

    std::array<Settled, kTable.size()> all_;
    std::string file_;
    std::vector<std::string> warnings_;
};

// The file's key of a secret that is kept in a file of its own: "init_key_file".
std::string file_variant(std::string_view key_or_environment, std::string_view suffix);

}  // namespace standings::settings
