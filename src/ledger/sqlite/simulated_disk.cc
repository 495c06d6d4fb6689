#include "ledger/sqlite/simulated_disk.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace standings::ledger::sqlite {
namespace {

using Kind = DiskOperation::Kind;

constexpr std::size_t kSector = 512;

std::string name_of(const std::string& path) {
    return std::filesystem::path(path).filename().string();
}

}  // namespace

// --- the log --------------------------------------------------------------------------------

void DiskLog::on_create(const std::string& path) {
    const std::string name = name_of(path);
    operations_.push_back({Kind::kCreate, name, 0, {}});
    unsynced_journals_[name] = name.ends_with("-journal") || name.ends_with("-wal");
}

void DiskLog::on_write(const std::string& path, std::uint64_t at,
                       std::span<const std::byte> bytes) {
    operations_.push_back({Kind::kWrite, name_of(path), at, {bytes.begin(), bytes.end()}});
}

void DiskLog::on_truncate(const std::string& path, std::uint64_t size) {
    operations_.push_back({Kind::kTruncate, name_of(path), size, {}});
}

void DiskLog::on_sync(const std::string& path) {
    const std::string name = name_of(path);
    operations_.push_back({Kind::kSync, name, 0, {}});
    if (std::exchange(unsynced_journals_[name], false)) on_sync_folder();
}

void DiskLog::on_remove(const std::string& path, bool synced) {
    operations_.push_back({Kind::kRemove, name_of(path), 0, {}});
    if (synced) on_sync_folder();
}

void DiskLog::on_sync_folder() {
    operations_.push_back({Kind::kSyncFolder, {}, 0, {}});
}

// --- the disk -------------------------------------------------------------------------------

void SimulatedDisk::apply(const DiskOperation& operation) {
    switch (operation.kind) {
        case Kind::kCreate:
            now_[operation.name] = std::make_shared<File>();
            renamings_.push_back({operation.name, now_[operation.name]});
            break;
        case Kind::kRemove:
            now_.erase(operation.name);
            renamings_.push_back({operation.name, nullptr});
            break;
        case Kind::kWrite:
        case Kind::kTruncate:
            now_.at(operation.name)->pending.push_back(operation);
            break;
        case Kind::kSync: {
            if (!honest_) break;
            File& file = *now_.at(operation.name);
            for (const DiskOperation& pending : file.pending) apply_to(file.durable, pending);
            file.pending.clear();
            break;
        }
        case Kind::kSyncFolder:
            if (!honest_) break;
            durable_names_ = now_;
            renamings_.clear();
            break;
    }
}

void SimulatedDisk::write_survivors(const std::filesystem::path& folder, Survival survival,
                                    std::mt19937_64& chance) const {
    // Names change in order, as in the journal of a filesystem.
    Names names = durable_names_;
    const std::size_t renamed = survival == Survival::kNothing ? 0
                                : survival == Survival::kEverything
                                    ? renamings_.size()
                                    : chance() % (renamings_.size() + 1);
    for (std::size_t i = 0; i < renamed; ++i) {
        if (renamings_[i].file) {
            names[renamings_[i].name] = renamings_[i].file;
        } else {
            names.erase(renamings_[i].name);
        }
    }
    for (const auto& [name, file] : names) {
        const Bytes bytes = survivor(*file, survival, chance);
        std::ofstream out(folder / name, std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
        CHECK(out.good());
    }
}

SimulatedDisk::Bytes SimulatedDisk::survivor(const File& file, Survival survival,
                                             std::mt19937_64& chance) {
    Bytes bytes = file.durable;
    std::size_t first_ones = file.pending.size();
    if (survival == Survival::kFirstOnes) first_ones = chance() % (file.pending.size() + 1);
    std::size_t longest = bytes.size();
    for (std::size_t i = 0; i < file.pending.size(); ++i) {
        const DiskOperation& pending = file.pending[i];
        longest = std::max(longest, pending.at + pending.bytes.size());
        const bool is_write = pending.kind == Kind::kWrite;
        bool whole = survival == Survival::kEverything;
        if (survival == Survival::kFirstOnes) whole = i < first_ones;
        if (survival == Survival::kWholeWrites || (survival == Survival::kSectors && !is_write)) {
            whole = chance() % 2 == 0;
        }
        const bool torn = is_write && !whole &&
                          (survival == Survival::kSectors ||
                           (survival == Survival::kFirstOnes && i == first_ones));
        if (whole) apply_to(bytes, pending);
        if (torn) apply_sectors(bytes, pending, chance);
    }
    // A file may have got its length, and zeros in place of what was written.
    if (survival == Survival::kSectors && chance() % 2 == 0) {
        bytes.resize(std::max(bytes.size(), longest));
    }
    return bytes;
}

void SimulatedDisk::apply_to(Bytes& bytes, const DiskOperation& operation) {
    if (operation.kind == Kind::kTruncate) {
        bytes.resize(operation.at);
        return;
    }
    bytes.resize(std::max(bytes.size(), operation.at + operation.bytes.size()));
    std::copy(operation.bytes.begin(), operation.bytes.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(operation.at));
}

void SimulatedDisk::apply_sectors(Bytes& bytes, const DiskOperation& write,
                                  std::mt19937_64& chance) {
    const std::size_t end = write.at + write.bytes.size();
    for (std::size_t from = write.at; from < end;) {
        const std::size_t to = std::min(end, (from / kSector + 1) * kSector);
        const auto part = write.bytes.begin() + static_cast<std::ptrdiff_t>(from - write.at);
        if (chance() % 2 == 0) {
            apply_to(
                bytes,
                {Kind::kWrite, {}, from, {part, part + static_cast<std::ptrdiff_t>(to - from)}});
        }
        from = to;
    }
}

}  // namespace standings::ledger::sqlite
