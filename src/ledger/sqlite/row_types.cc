#include "ledger/sqlite/row_types.h"

#include "ledger/rows.h"

namespace standings::ledger::sqlite {
namespace {

bool type_fits(int type, char letter) {
    switch (letter) {
        case 'i':
            return type == SQLITE_INTEGER;
        case 't':
            return type == SQLITE_TEXT;
        case 'b':
            return type == SQLITE_BLOB;
        case 'I':
            return type == SQLITE_INTEGER || type == SQLITE_NULL;
        case 'T':
            return type == SQLITE_TEXT || type == SQLITE_NULL;
        case 'B':
            return type == SQLITE_BLOB || type == SQLITE_NULL;
        default:
            return false;
    }
}

// Numbers in the first `count` of the score columns from `first` on, NULL in the others.
bool are_numbers(const Statement& row, int first, std::size_t count) {
    for (std::size_t i = 0; i < ranking::kMaxColumns; ++i) {
        if (row.is_null(first + static_cast<int>(i)) == (i < count)) return false;
    }
    return true;
}

}  // namespace

bool types_fit(const Statement& row, std::string_view types) {
    for (std::size_t i = 0; i < types.size(); ++i) {
        if (!type_fits(row.type(static_cast<int>(i)), types[i])) return false;
    }
    return true;
}

bool scores_fit(const Statement& row, const Event& event) {
    return are_numbers(row, 11, input_count(event)) &&
           are_numbers(row, 15, event.had_entry ? event.columns : 0) &&
           are_numbers(row, 19, result_count(event)) &&
           row.is_null(2) == row.is_null(25);  // the key and its fingerprint
}

bool scores_fit(const Statement& row, const EntryRecord& entry) {
    return are_numbers(row, 3, entry.removed ? 0 : entry.columns);
}

}  // namespace standings::ledger::sqlite
