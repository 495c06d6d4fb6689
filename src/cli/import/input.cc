#include "cli/import/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/write_all.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kBlockBytes = 1 << 20;
constexpr std::size_t kSniffedBytes = 64 * 1024;
constexpr const char* kReads =
    "; import reads NDJSON, CSV and TSV, also as .gz. Save it as CSV, and import that";

Error io(const std::string& doing) {
    return {ErrorCode::kIo, doing + ": " + std::strerror(errno)};
}

Result<Descriptor> spool_all(int from, const std::string& name) {
    auto spool = make_spool();
    if (!spool) return spool;
    std::vector<char> block(kBlockBytes);
    while (true) {
        const ssize_t count = ::read(from, block.data(), block.size());
        if (count == 0) return spool;
        if (count < 0 && errno == EINTR) {
            return Error{ErrorCode::kDraining, "interrupted before anything was sent"};
        }
        if (count < 0) return io("cannot read " + name);
        const auto kept = append_to_spool(*spool, {block.data(), static_cast<std::size_t>(count)});
        if (!kept) return kept.error();
    }
}

// `name` without ".gz", from its last dot on, in small letters.
std::string ending_of(std::string_view name) {
    std::string lower;
    for (const char c : name) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower.ends_with(".gz")) lower.resize(lower.size() - 3);
    const std::size_t dot = lower.rfind('.');
    return dot == std::string::npos ? std::string() : lower.substr(dot);
}

bool is_spreadsheet(std::string_view ending) {
    constexpr std::string_view kEndings[] = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers"};
    return std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
}

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Result<Descriptor> make_spool() {
    const char* named = std::getenv("TMPDIR");
    std::string path = named != nullptr && *named != '\0' ? named : "/tmp";
    path += "/standings-import-XXXXXX";
    Descriptor spool(mkostemp(path.data(), O_CLOEXEC));
    if (spool.number() < 0) {
        return io("cannot make a temporary file " + path + " (TMPDIR names another folder)");
    }
    ::unlink(path.c_str());
    return spool;
}

Result<void> append_to_spool(const Descriptor& spool, std::string_view text) {
    if (base::write_all(spool.number(), text)) return {};
    return io("cannot write a temporary file (TMPDIR names another folder)");
}

Result<Input> Input::open(const std::string& path) {
    if (path == "-") {
        Input input("standard input");
        auto spool = spool_all(STDIN_FILENO, input.name_);
        if (!spool) return spool.error();
        input.spool_ = *std::move(spool);
        return input;
    }
    Input input(path);
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0) return io("cannot read " + path);
    if (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode)) return input;
    const Descriptor pipe(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (pipe.number() < 0) return io("cannot read " + path);
    auto spool = spool_all(pipe.number(), path);
    if (!spool) return spool.error();
    input.spool_ = *std::move(spool);
    return input;
}

Input Input::of_spool(Descriptor spool, std::string name) {
    Input input(std::move(name));
    input.spool_ = std::move(spool);
    return input;
}

Result<ByteSource> Input::read() const {
    if (spool_.number() < 0) return ByteSource::open(name_);
    if (lseek(spool_.number(), 0, SEEK_SET) < 0) return io("cannot read " + name_ + " again");
    return ByteSource::open(spool_.number(), name_);
}

Result<FileFormat> Input::find_format() const {
    const std::string ending = ending_of(name_);
    if (ending == ".csv") return FileFormat::kCsv;
    if (ending == ".tsv" || ending == ".tab") return FileFormat::kTsv;
    if (ending == ".ndjson" || ending == ".jsonl") return FileFormat::kNdjson;
    if (is_spreadsheet(ending)) {
        return Error{ErrorCode::kSettings, name_ + " is a spreadsheet" + kReads};
    }
    auto source = read();
    if (!source) return source.error();
    std::string block(kSniffedBytes, '\0');
    const auto count = source->read(block);
    if (!count) return count.error();
    std::string_view text = std::string_view(block).substr(0, *count);
    if (text.find('\0') != std::string_view::npos) {
        return Error{ErrorCode::kSettings, name_ + " is no text" + kReads};
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const std::size_t first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    if (first == text.size() || text[first] == '{') return FileFormat::kNdjson;
    if (text[first] == '[') {
        return Error{ErrorCode::kSettings,
                     name_ + " is one JSON array. Make it one object a line: jq -c '.[]' FILE"};
    }
    const std::string_view header = text.substr(0, text.find('\n'));
    return header.find('\t') != std::string_view::npos ? FileFormat::kTsv : FileFormat::kCsv;
}

Result<base::Hash128> Input::hash(const std::function<bool(const ByteSource&)>& tick) const {
    auto source = read();
    if (!source) return source.error();
    std::vector<char> block(kBlockBytes);
    // The hash of the blocks' hashes, and of how many bytes there are: 16 bytes are kept a MiB.
    std::string digests;
    std::uint64_t total = 0;
    const auto append = [&digests](std::uint64_t value) {
        digests.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    while (true) {
        std::size_t filled = 0;
        while (filled < block.size()) {
            const auto count = source->read(std::span(block).subspan(filled));
            if (!count) return count.error();
            if (*count == 0) break;
            filled += *count;
        }
        if (filled == 0) break;
        const base::Hash128 hash = base::hash128({block.data(), filled});
        append(hash.high);
        append(hash.low);
        total += filled;
        if (!tick(*source)) {
            return Error{ErrorCode::kDraining, "interrupted before anything was sent"};
        }
    }
    append(total);
    return base::hash128(digests);
}

}  // namespace standings::cli
