#include "ledger/sqlite/sqlite_ledger.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "ledger/ledger_contract.h"

namespace standings::ledger {
namespace {

// A data folder that is removed with its owner.
class DataFolder {
  public:
    DataFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "standings-XXXXXX").string();
        CHECK(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~DataFolder() { std::filesystem::remove_all(path_); }
    DataFolder(const DataFolder&) = delete;
    DataFolder& operator=(const DataFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

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
