// Files to import: NDJSON, CSV and TSV, plain and as gzip. What is taken is taken by the server
// too.
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "api/request_harness.h"
#include "base/byte_feed.h"
#include "cli/import/row_stream.h"

using namespace standings;
using cli::FileFormat;

namespace {

// A file in memory that has a name.
class NamedBytes {
  public:
    explicit NamedBytes(std::string_view bytes) : file_(memfd_create("import", MFD_CLOEXEC)) {
        CHECK(file_ >= 0);
        CHECK(write(file_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    ~NamedBytes() { close(file_); }
    NamedBytes(const NamedBytes&) = delete;
    NamedBytes& operator=(const NamedBytes&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

  private:
    int file_;
};

std::string packed(std::string_view text) {
    std::string out(compressBound(text.size()) + 64, '\0');
    z_stream zip{};
    CHECK(deflateInit2(&zip, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    zip.avail_in = static_cast<uInt>(text.size());
    zip.next_out = reinterpret_cast<Bytef*>(out.data());
    zip.avail_out = static_cast<uInt>(out.size());
    CHECK(deflate(&zip, Z_FINISH) == Z_STREAM_END);
    out.resize(zip.total_out);
    deflateEnd(&zip);
    return out;
}

// The lines that the server is sent. CHECKs that it takes each of them.
std::string lines_of(std::string_view file, FileFormat format, const ledger::BoardConfig& config) {
    const NamedBytes named(file);
    const auto input = cli::Input::open(named.path());
    CHECK(input);
    const auto map = cli::FieldMap::make({{"skip", ""}}, config.rules.columns);
    CHECK(map);
    auto stream = cli::RowStream::open(*input, format, *map);
    if (!stream) return stream.error().detail;
    std::string lines;
    while (true) {
        const auto item = stream->next();
        if (!item) return lines + item.error().detail;
        if (!*item) return lines;
        if (!(*item)->row) {
            CHECK(!(*item)->row.error().detail.empty());
            continue;
        }
        const std::size_t begin = lines.size();
        cli::append_submission(lines, **(*item)->row, map->columns());
        // Times that lie ahead are the server's to judge.
        const auto read = api::read_submission_text(std::string_view(lines).substr(begin), config,
                                                    {INT64_MAX / 2});
        CHECK(read && read->change);
        CHECK(read->change->scores == (**(*item)->row).scores);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    base::ByteFeed feed(data, size);
    constexpr FileFormat kFormats[] = {FileFormat::kNdjson, FileFormat::kCsv, FileFormat::kTsv};
    const FileFormat format = kFormats[feed.pick(3)];
    ledger::BoardConfig config;
    if (feed.pick(2) == 1)
        config.rules.columns = {{.name = "points"}, {.name = "time", .decimals = 3}};
    const std::string_view file = feed.rest();
    const std::string lines = lines_of(file, format, config);
    const bool is_packed = file.starts_with("\x1f\x8b");
    if (!is_packed) CHECK(lines_of(packed(file), format, config) == lines);
    return 0;
}
