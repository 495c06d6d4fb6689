#include "cli/import/row_stream.h"

#include <utility>

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kBlockBytes = 256 * 1024;

bool is_blank(const Record& record) {
    return record.text.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

RowStream::RowStream(ByteSource source, FileFormat format, const FieldMap& map)
    : source_(std::move(source)),
      cutter_(syntax_of(format)),
      map_(&map),
      reader_(format, map),
      block_(kBlockBytes) {}

Result<RowStream> RowStream::open(const Input& input, FileFormat format, const FieldMap& map) {
    auto source = input.read();
    if (!source) return source.error();
    RowStream stream(*std::move(source), format, map);
    if (format == FileFormat::kNdjson) return stream;
    const auto header = stream.next_record();
    if (!header) return header.error();
    if (!*header)
        return Error{ErrorCode::kSettings, input.name() +
                                               " is empty: a header row that "
                                               "names the columns is missing"};
    if (const auto read = stream.reader_.read_header((*header)->text); !read) return read.error();
    return stream;
}

Result<std::optional<Record>> RowStream::next_record() {
    while (true) {
        if (const auto record = cutter_.next()) return record;
        if (ended_) return std::optional<Record>();
        const auto count = source_.read(block_);
        if (!count) return count.error();
        cutter_.feed({block_.data(), *count});
        ended_ = *count == 0;
        if (ended_) cutter_.end();
    }
}

Result<std::optional<RowStream::Item>> RowStream::next() {
    while (true) {
        const auto record = next_record();
        if (!record) return record.error();
        if (!*record) return std::optional<Item>();
        ++record_;
        if (is_blank(**record)) continue;
        ++counts_.rows;
        auto row = reader_.read(**record);
        if (!row) ++counts_.rejected;
        return std::optional<Item>(Item{record_, **record, std::move(row)});
    }
}

Result<bool> RowStream::fill(std::string& out, std::size_t bytes, Rejects& rejects,
                             const std::function<void(const ImportRow&)>& accepted) {
    while (out.size() < bytes) {
        const std::uint64_t before = record_;
        const auto item = next();
        if (!item) return item.error();
        if (!*item) return false;
        // Empty lines for the blank records before this one.
        out.append((*item)->record - before - 1, '\n');
        if ((*item)->row) {
            const ImportRow& row = **(*item)->row;
            append_submission(out, row, map_->columns());
            if (accepted) accepted(row);
        } else {
            out += '\n';
            rejects.add((*item)->source.line, (*item)->row.error().detail, (*item)->source.text);
        }
    }
    return true;
}

}  // namespace standings::cli
