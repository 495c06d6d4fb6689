#include "ledger/sqlite/sqlite_ledger.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "ledger/ledger_contract.h"
#include "ledger/sqlite/data_folder.h"

namespace standings::ledger {
namespace {

struct SqliteSubject {
    DataFolder folder;
    std::unique_ptr<Ledger> open() {
        auto ledger = SqliteLedger::open(
            {.folder = folder.path(), .reserve_bytes = 1 << 16, .checkpoint_pages = 20});
        if (!ledger) std::cerr << ledger.error().detail << '\n';
        return *std::move(ledger);
    }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, LedgerContract, SqliteSubject);

}  // namespace
}  // namespace standings::ledger
