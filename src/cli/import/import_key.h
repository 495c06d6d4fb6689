// By what the server, and the files of rejects, know an import again.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "cli/import/field_map.h"
#include "cli/import/row_reader.h"

namespace standings::cli {

// What an import is, but for --again.
struct ImportIdentity {
    std::string board;
    std::string life;       // of the board: emptied, or made anew, it is another one
    base::Hash128 content;  // of the file, unpacked
    FileFormat format;
    const FieldMap& map;
};

// The Idempotency-Key: "import-" and 32 hex digits. Imports that differ in anything, be it in
// `again`, have different keys; the last 16 digits are board, life and content alone.
std::string import_key(const ImportIdentity& identity, std::string_view again);
// Whether it has the form of one; then it can become a part of a file's name.
bool is_import_key(std::string_view text);
// Whether two imports fill the same board, in the same life, with different content.
bool has_other_content(std::string_view key, std::string_view other);

// A word that tells this import from those of the same identity.
std::string new_again_word(const ImportIdentity& identity);
// Whether new_again_word() has made it for this identity: any other word would be a new import.
bool is_again_word(std::string_view word, const ImportIdentity& identity);

}  // namespace standings::cli
