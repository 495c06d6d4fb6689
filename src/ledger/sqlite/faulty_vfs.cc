#include "ledger/sqlite/faulty_vfs.h"

#include <filesystem>
#include <new>
#include <utility>

#include "base/check.h"

namespace standings::ledger::sqlite {
namespace {

// SQLite allocates szOsFile bytes for one of these, with the system's file right behind it.
struct FaultyFile {
    sqlite3_file base;
    FaultyVfs* vfs;
    const char* path;  // SQLite keeps it as long as the file is open
    sqlite3_file* inside() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

FaultyFile* self(sqlite3_file* file) {
    return reinterpret_cast<FaultyFile*>(file);
}
sqlite3_file* in(sqlite3_file* file) {
    return self(file)->inside();
}

// Who is to hear of what was done to this file; null: nobody.
FileWatcher* watcher_of(sqlite3_file* file, int code) {
    return code == SQLITE_OK && self(file)->path != nullptr ? self(file)->vfs->watcher() : nullptr;
}

int close(sqlite3_file* file) {
    return in(file)->pMethods->xClose(in(file));
}
int read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 at) {
    return in(file)->pMethods->xRead(in(file), to, bytes, at);
}
int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
    const char* path = self(file)->path;
    const int code = self(file)->vfs->meet(FileCall::kWrite, path == nullptr ? "" : path);
    if (code != SQLITE_OK) return code;
    const int done = in(file)->pMethods->xWrite(in(file), from, bytes, at);
    if (FileWatcher* watcher = watcher_of(file, done)) {
        watcher->on_write(path, static_cast<std::uint64_t>(at),
                          {static_cast<const std::byte*>(from), static_cast<std::size_t>(bytes)});
    }
    return done;
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
    const int done = in(file)->pMethods->xTruncate(in(file), size);
    if (FileWatcher* watcher = watcher_of(file, done)) {
        watcher->on_truncate(self(file)->path, static_cast<std::uint64_t>(size));
    }
    return done;
}
int sync(sqlite3_file* file, int flags) {
    const char* path = self(file)->path;
    const int code = self(file)->vfs->meet(FileCall::kSync, path == nullptr ? "" : path);
    if (code != SQLITE_OK) return code;
    const int done = in(file)->pMethods->xSync(in(file), flags);
    if (FileWatcher* watcher = watcher_of(file, done)) watcher->on_sync(path);
    return done;
}
int size(sqlite3_file* file, sqlite3_int64* bytes) {
    return in(file)->pMethods->xFileSize(in(file), bytes);
}
int lock(sqlite3_file* file, int level) {
    return in(file)->pMethods->xLock(in(file), level);
}
int unlock(sqlite3_file* file, int level) {
    return in(file)->pMethods->xUnlock(in(file), level);
}
int check_lock(sqlite3_file* file, int* held) {
    return in(file)->pMethods->xCheckReservedLock(in(file), held);
}
int control(sqlite3_file* file, int what, void* with) {
    return in(file)->pMethods->xFileControl(in(file), what, with);
}
int sector_size(sqlite3_file* file) {
    return in(file)->pMethods->xSectorSize(in(file));
}
int characteristics(sqlite3_file* file) {
    return in(file)->pMethods->xDeviceCharacteristics(in(file));
}
int shm_map(sqlite3_file* file, int page, int bytes, int extend, void volatile** out) {
    return in(file)->pMethods->xShmMap(in(file), page, bytes, extend, out);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return in(file)->pMethods->xShmLock(in(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) {
    in(file)->pMethods->xShmBarrier(in(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
    return in(file)->pMethods->xShmUnmap(in(file), remove);
}
int fetch(sqlite3_file* file, sqlite3_int64 at, int bytes, void** out) {
    return in(file)->pMethods->xFetch(in(file), at, bytes, out);
}
int unfetch(sqlite3_file* file, sqlite3_int64 at, void* page) {
    return in(file)->pMethods->xUnfetch(in(file), at, page);
}

constexpr sqlite3_io_methods kMethods = {
    3,         close,      read,    write,       truncate,        sync,    size,     lock,
    unlock,    check_lock, control, sector_size, characteristics, shm_map, shm_lock, shm_barrier,
    shm_unmap, fetch,      unfetch};

int open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* file, int flags, int* out) {
    auto* faulty = new (file) FaultyFile{};
    faulty->vfs = static_cast<FaultyVfs*>(vfs->pAppData);
    faulty->path = path;
    sqlite3_vfs* system = faulty->vfs->system();
    const bool creates = path != nullptr && !std::filesystem::exists(path);
    const int code = system->xOpen(system, path, faulty->inside(), flags, out);
    if (faulty->inside()->pMethods != nullptr) file->pMethods = &kMethods;
    FileWatcher* watcher = watcher_of(file, code);
    if (creates && watcher != nullptr) watcher->on_create(path);
    return code;
}

int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    const auto* faulty = static_cast<FaultyVfs*>(vfs->pAppData);
    const int code = faulty->system()->xDelete(faulty->system(), path, sync_folder);
    if (code == SQLITE_OK && faulty->watcher() != nullptr) {
        faulty->watcher()->on_remove(path, sync_folder != 0);
    }
    return code;
}

}  // namespace

FaultyVfs::FaultyVfs(std::string name) : name_(std::move(name)) {
    system_ = sqlite3_vfs_find(nullptr);
    CHECK(system_ != nullptr);
    vfs_ = *system_;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = system_->szOsFile + static_cast<int>(sizeof(FaultyFile));
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    CHECK(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK);
}

FaultyVfs::~FaultyVfs() {
    sqlite3_vfs_unregister(&vfs_);
}

void FaultyVfs::fail(FileCall call, std::uint64_t nth, int code, std::string suffix) {
    CHECK(nth > 0);
    call_ = call;
    countdown_ = nth;
    code_ = code;
    suffix_ = std::move(suffix);
}

int FaultyVfs::meet(FileCall call, const std::string& path) {
    ++(call == FileCall::kWrite ? writes_ : syncs_);
    if (code_ == SQLITE_OK || call != call_ || !path.ends_with(suffix_)) return SQLITE_OK;
    if (countdown_ > 1) {
        --countdown_;
        return SQLITE_OK;
    }
    ++failures_;
    return code_;
}

}  // namespace standings::ledger::sqlite
