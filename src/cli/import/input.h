// What is imported: a file that can be read more than once, and how to read it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/ids.h"
#include "base/result.h"
#include "cli/import/byte_source.h"
#include "cli/import/row_reader.h"

namespace standings::cli {

// A file descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor();
    int number() const { return number_; }

  private:
    int number_;
};

// A file without a name, in $TMPDIR or /tmp: it is gone with the process, however that ends.
base::Result<Descriptor> make_spool();
base::Result<void> append_to_spool(const Descriptor& spool, std::string_view text);

// What is imported. Every pass reads it from the beginning. Owner and thread: the command.
class Input {
  public:
    // A file; a pipe and "-" (standard input) are spooled first.
    static base::Result<Input> open(const std::string& path);
    // A spool that somebody has filled with NDJSON.
    static Input of_spool(Descriptor spool, std::string name);

    base::Result<ByteSource> read() const;
    // By the name's ending, or else by how the content begins. Fails with kSettings.
    base::Result<FileFormat> find_format() const;
    // Of the whole unpacked content; reads it once. `tick` is called now and then, and stops the
    // reading with false (kDraining).
    base::Result<base::Hash128> hash(const std::function<bool(const ByteSource&)>& tick) const;

    const std::string& name() const { return name_; }

  private:
    explicit Input(std::string name) : name_(std::move(name)) {}

    std::string name_;
    Descriptor spool_;  // none: the file is read by its name
};

}  // namespace standings::cli
