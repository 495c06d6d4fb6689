#include "ledger/sqlite/mark_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

namespace standings::ledger::sqlite {
namespace {

constexpr std::size_t kFileBytes = 4096;
constexpr std::size_t kSlotBytes = 84;
constexpr std::size_t kSlotAt[2] = {0, 2048};
constexpr std::string_view kMagic = "STNDMRK1";

struct Slot {
    std::uint64_t counter = 0;
    Mark mark;
};

using SlotBytes = std::array<std::byte, kSlotBytes>;

void put_text(std::span<std::byte> out, std::string_view text) {
    CHECK(text.size() <= out.size());
    std::memcpy(out.data(), text.data(), text.size());
}

std::string get_text(std::span<const std::byte> in) {
    const auto end = std::find(in.begin(), in.end(), std::byte{0});
    return {reinterpret_cast<const char*>(in.data()), static_cast<std::size_t>(end - in.begin())};
}

SlotBytes encode(const Slot& slot) {
    SlotBytes bytes{};
    const std::span<std::byte, kSlotBytes> out(bytes);
    put_text(out.subspan<0, 8>(), kMagic);
    base::put(out.subspan<8, 8>(), slot.counter);
    base::put(out.subspan<16, 8>(), slot.mark.seq.value);
    base::put(out.subspan<24, 8>(), slot.mark.chain);
    put_text(out.subspan<32, 32>(), slot.mark.database_id);
    put_text(out.subspan<64, 16>(), slot.mark.epoch);
    base::put(out.subspan<80, 4>(), base::crc32c(out.first<80>()));
    return bytes;
}

std::optional<Slot> decode(std::span<const std::byte, kSlotBytes> in) {
    if (get_text(in.subspan<0, 8>()) != kMagic) return std::nullopt;
    if (base::get<std::uint32_t>(in.subspan<80, 4>()) != base::crc32c(in.first<80>())) {
        return std::nullopt;
    }
    Slot slot;
    slot.counter = base::get<std::uint64_t>(in.subspan<8, 8>());
    slot.mark.seq = {base::get<std::uint64_t>(in.subspan<16, 8>())};
    slot.mark.chain = base::get<std::uint64_t>(in.subspan<24, 8>());
    slot.mark.database_id = get_text(in.subspan<32, 32>());
    slot.mark.epoch = get_text(in.subspan<64, 16>());
    return slot;
}

}  // namespace

base::Result<MarkFile> MarkFile::open(const std::filesystem::path& path, FileWatcher* watcher) {
    MarkFile mark;
    mark.path_ = path.string();
    mark.watcher_ = watcher;
    const bool is_watched_new = watcher != nullptr && !std::filesystem::exists(path);
    mark.file_ = File(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    const int descriptor = mark.file_.descriptor();
    if (descriptor < 0) return system_error("open " + path.string());
    if (is_watched_new) watcher->on_create(mark.path_);

    std::array<std::byte, kFileBytes> bytes{};
    const ssize_t got = ::pread(descriptor, bytes.data(), bytes.size(), 0);
    if (got < 0) return system_error("read " + path.string());
    for (const std::size_t at : kSlotAt) {
        const auto slot =
            decode(std::span<const std::byte, kSlotBytes>(bytes.data() + at, kSlotBytes));
        if (!slot || slot->counter < mark.counter_) continue;
        mark.counter_ = slot->counter;
        mark.found_ = slot->mark;
    }
    mark.unreadable_ = got > 0 && !mark.found_;
    if (static_cast<std::size_t>(got) < kFileBytes) {
        // All of its blocks now, so that no later write needs space.
        const std::span<const std::byte> rest(bytes);
        const auto from = static_cast<std::size_t>(got);
        if (auto done = mark.put(rest.subspan(from), from); !done) return done.error();
        if (::fsync(descriptor) != 0) return system_error("sync " + path.string());
        if (watcher != nullptr) watcher->on_sync(mark.path_);
    }
    return mark;
}

base::Result<MarkInspection> MarkFile::inspect(const std::filesystem::path& path) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    MarkInspection inspection;
    if (file.descriptor() < 0 && errno == ENOENT) {
        inspection.missing = true;
        return inspection;
    }
    if (file.descriptor() < 0) return system_error("open " + path.string());

    // A write that is under way is torn for a moment, never three times in a row.
    constexpr int kTries = 3;
    for (int attempt = 1; attempt <= kTries; ++attempt) {
        std::array<std::byte, kFileBytes> bytes{};
        if (::pread(file.descriptor(), bytes.data(), bytes.size(), 0) < 0) {
            return system_error("read " + path.string());
        }
        inspection = {};
        std::uint64_t counter = 0;
        for (int number = 0; number < 2; ++number) {
            const std::span<const std::byte, kSlotBytes> in(bytes.data() + kSlotAt[number],
                                                            kSlotBytes);
            const auto slot = decode(in);
            if (slot && slot->counter >= counter) {
                counter = slot->counter;
                inspection.newest = slot->mark;
            }
            const bool empty =
                std::all_of(in.begin(), in.end(), [](std::byte b) { return b == std::byte{0}; });
            if (!slot && !empty) inspection.damaged.push_back(number);
        }
        if (inspection.damaged.empty()) break;
    }
    return inspection;
}

base::Result<void> MarkFile::write(const Mark& mark) {
    const SlotBytes bytes = encode({++counter_, mark});
    return put(bytes, kSlotAt[counter_ % 2]);
}

base::Result<void> MarkFile::put(std::span<const std::byte> bytes, std::size_t at) {
    if (::pwrite(file_.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(at)) !=
        static_cast<ssize_t>(bytes.size())) {
        return system_error("write " + path_);
    }
    if (watcher_ != nullptr) watcher_->on_write(path_, at, bytes);
    return {};
}

}  // namespace standings::ledger::sqlite
