// For tests: what a disk holds after the power failed, for any moment of a recorded run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ledger/sqlite/faulty_vfs.h"

namespace standings::ledger::sqlite {

struct DiskOperation {
    enum class Kind : std::uint8_t { kCreate, kWrite, kTruncate, kSync, kRemove, kSyncFolder };
    Kind kind = Kind::kSync;
    std::string name;  // of the file in its folder
    std::uint64_t at = 0;
    std::vector<std::byte> bytes;
};

// Takes down what is done to the files of one folder, in order.
class DiskLog final : public FileWatcher {
  public:
    const std::vector<DiskOperation>& operations() const { return operations_; }

    void on_create(const std::string& path) override;
    void on_write(const std::string& path, std::uint64_t at,
                  std::span<const std::byte> bytes) override;
    void on_truncate(const std::string& path, std::uint64_t size) override;
    // SQLite makes the name of a new journal durable with the first sync of the journal.
    void on_sync(const std::string& path) override;
    void on_remove(const std::string& path, bool synced) override;
    void on_sync_folder() override;

  private:
    std::vector<DiskOperation> operations_;
    std::map<std::string, bool> unsynced_journals_;
};

// Which of the writes that were never synced survive.
enum class Survival : std::uint8_t {
    kNothing,
    kEverything,
    kFirstOnes,    // up to some moment, the last one torn within
    kWholeWrites,  // any of them
    kSectors,      // any 512 bytes of any of them, each file as long as it was or shorter
};
inline constexpr int kSurvivals = 5;

class SimulatedDisk {
  public:
    // A disk with `honest` false says that it synced, and has not.
    explicit SimulatedDisk(bool honest) : honest_(honest) {}

    void apply(const DiskOperation& operation);
    // The power fails now: makes the files in the empty `folder`.
    void write_survivors(const std::filesystem::path& folder, Survival survival,
                         std::mt19937_64& chance) const;

  private:
    using Bytes = std::vector<std::byte>;
    struct File {
        Bytes durable;
        std::vector<DiskOperation> pending;
    };
    using FilePtr = std::shared_ptr<File>;
    using Names = std::map<std::string, FilePtr>;
    struct Renaming {
        std::string name;
        FilePtr file;  // null: the name was removed
    };

    static void apply_to(Bytes& bytes, const DiskOperation& operation);
    static void apply_sectors(Bytes& bytes, const DiskOperation& write, std::mt19937_64& chance);
    static Bytes survivor(const File& file, Survival survival, std::mt19937_64& chance);

    const bool honest_;
    Names now_;
    Names durable_names_;
    std::vector<Renaming> renamings_;  // not durable yet
};

}  // namespace standings::ledger::sqlite
