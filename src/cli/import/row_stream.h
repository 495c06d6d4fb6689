// One pass over what is imported: bytes in, lines of the submission API out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/import/input.h"
#include "cli/import/rejects.h"
#include "cli/import/row_reader.h"

namespace standings::cli {

struct RowCounts {
    std::uint64_t rows = 0;      // without empty lines and the header
    std::uint64_t rejected = 0;  // here, before they reached the server
};

// Gives the same lines for the same content, mapping and columns, however often it is asked; the
// server relies on that when it goes on with an import. A row that is rejected stays as an empty
// line, so that the server's line numbers count records. Constant memory.
// Owner and thread: one pass; the input and the map outlive it.
class RowStream {
  public:
    struct Item {
        std::uint64_t record;  // 1, 2, 3 ...: the line of the stream
        Record source;
        base::Result<const ImportRow*> row;
    };

    // Reads a header where there is one. Fails with kIo, or kSettings where it means nothing.
    static base::Result<RowStream> open(const Input& input, FileFormat format, const FieldMap& map);

    // The next record that is not blank; none at the end. The item lives until the next call.
    // Fails with kIo.
    base::Result<std::optional<Item>> next();

    // Appends lines to `out` until it holds `bytes` or more; false when the end is reached.
    // Rejects go to `rejects`; `accepted` sees each row that is sent, if it is set.
    base::Result<bool> fill(std::string& out, std::size_t bytes, Rejects& rejects,
                            const std::function<void(const ImportRow&)>& accepted = {});

    const RowCounts& counts() const { return counts_; }
    const ByteSource& source() const { return source_; }

  private:
    RowStream(ByteSource source, FileFormat format, const FieldMap& map);
    base::Result<std::optional<Record>> next_record();

    ByteSource source_;
    RecordCutter cutter_;
    const FieldMap* map_;
    RowReader reader_;
    std::vector<char> block_;
    bool ended_ = false;
    std::uint64_t record_ = 0;
    RowCounts counts_;
};

}  // namespace standings::cli
