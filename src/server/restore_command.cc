#include "server/restore_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/write_all.h"
#include "cli/progress_line.h"
#include "cli/shell_word.h"
#include "cli/stop_request.h"
#include "cli/terminal.h"
#include "jobs/backup_folder.h"
#include "ledger/sqlite/check.h"
#include "ledger/sqlite/database_copy.h"
#include "ledger/sqlite/files.h"
#include "ledger/sqlite/mark_file.h"
#include "server/check_command.h"
#include "server/damage_advice.h"
#include "server/data_folder.h"
#include "server/serve.h"
#include "settings/flags.h"

namespace standings::server {
namespace {

using cli::counted;
using cli::ProgressLine;
using cli::readable_bytes;

namespace fs = std::filesystem;
namespace sqlite = ledger::sqlite;
using base::Error;
using base::ErrorCode;
using base::Result;
using cli::StopRequest;

constexpr std::uint64_t kSpareBytes = std::uint64_t{64} << 20;
// What belongs to a database, in the order in which it may go from the folder: without the database
// itself a start refuses, whatever else is still there.
constexpr const char* kFiles[] = {"standings.db", "standings.db-journal", "standings.db-wal",
                                  "standings.db-shm", "standings.mark"};
// The copy and its mark until they take the old ones' place.
constexpr const char* kFresh = "standings.db.restoring";
constexpr const char* kFreshMark = "standings.mark.restoring";

struct RestoreSettings {
    settings::Flags flags;
    std::string backup;
    std::string data;
};

Error failed(const std::string& doing) {
    return {errno == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo,
            "cannot " + doing + ": " + std::strerror(errno)};
}

bool goes_on() {
    return StopRequest::signal() == 0;
}

struct Verified {
    sqlite::CheckReport report;
    bool has_manifest;
};

std::string difference(const jobs::FileSum& file, const jobs::BackupManifest& manifest) {
    if (file.bytes != manifest.bytes) {
        return "it has " + std::to_string(file.bytes) + " bytes, its manifest says " +
               std::to_string(manifest.bytes);
    }
    char text[80];
    std::snprintf(text, sizeof text, "its checksum is %08x, its manifest says %08x", file.crc32c,
                  manifest.crc32c);
    return text;
}

// Everything that can be known of a backup before it replaces anything.
Result<Verified> verify(const std::string& backup) {
    const auto manifest = jobs::read_manifest(backup);
    if (!manifest) return manifest.error();
    if (*manifest) {
        ProgressLine progress("Restore");
        const auto sum = jobs::sum_file(backup, [&](std::uint64_t bytes) {
            progress.show("summing the backup", bytes, (*manifest)->bytes, "bytes");
            return goes_on();
        });
        if (!sum) return sum.error();
        if (sum->bytes != (*manifest)->bytes || sum->crc32c != (*manifest)->crc32c) {
            return Error{ErrorCode::kIntegrity,
                         "the backup '" + backup + "' is damaged: " + difference(*sum, **manifest) +
                             "; take another backup"};
        }
    }
    ProgressLine progress("Verify");
    sqlite::CheckOptions options{.database = backup, .frozen = true};
    options.progress = [&](const char* table, std::uint64_t done, std::uint64_t total) {
        progress.show(table, done, total, "");
        return goes_on();
    };
    auto report = sqlite::check_database(options);
    if (!report && report.error().code == ErrorCode::kIntegrity) {
        return Error{ErrorCode::kIntegrity,
                     "this is no whole backup: " + naming_file(report.error(), backup).detail +
                         "; take another one, a .db file that `standings backup` made"};
    }
    if (!report) return naming_file(report.error(), backup);
    if (!report->whole()) {
        return Error{
            ErrorCode::kIntegrity,
            "the backup '" + backup + "' is damaged; take another one\n" + findings_text(*report)};
    }
    return Verified{*std::move(report), manifest->has_value()};
}

// False also where nobody may look.
bool exists(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

Result<void> check_space(const std::string& folder, std::uint64_t bytes) {
    struct statvfs facts {};
    if (::statvfs(folder.c_str(), &facts) != 0) return failed("look at the disk of " + folder);
    const std::uint64_t free_bytes = static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
    if (free_bytes >= bytes + kSpareBytes) return {};
    return Error{ErrorCode::kNoSpace, "the disk of '" + folder + "' has " +
                                          readable_bytes(free_bytes) + " free; the restore needs " +
                                          readable_bytes(bytes + kSpareBytes)};
}

Result<void> copy_durably(const std::string& from, const std::string& to) {
    const sqlite::File in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    const sqlite::File out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (in.descriptor() < 0) return failed("read '" + from + "'");
    if (out.descriptor() < 0) return failed("write '" + to + "'");
    struct stat facts {};
    if (::fstat(in.descriptor(), &facts) != 0) return failed("read '" + from + "'");
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    const auto buffer = std::make_unique<char[]>(kPiece);
    ProgressLine progress("Restore");
    for (std::uint64_t done = 0;;) {
        const ssize_t got = ::read(in.descriptor(), buffer.get(), kPiece);
        if (got < 0) return failed("read '" + from + "'");
        if (got == 0) break;
        if (!goes_on()) return Error{ErrorCode::kCancelled, "interrupted"};
        const std::string_view piece(buffer.get(), static_cast<std::size_t>(got));
        if (!base::write_all(out.descriptor(), piece)) return failed("write '" + to + "'");
        done += static_cast<std::uint64_t>(got);
        progress.show("copying", done, static_cast<std::uint64_t>(facts.st_size), "bytes");
    }
    if (::fsync(out.descriptor()) != 0) return failed("write '" + to + "'");
    return {};
}

// The old database under a second name in a folder of its own, complete before anything of it goes.
// Empty: there was none. A part of it joins the litter, of which `litter` is there by now.
Result<std::string> keep_old(const DataFolder& folder, std::vector<std::string> litter) {
    bool any = false;
    for (const char* name : kFiles) any = any || exists(folder.file(name));
    if (!any) return std::string();
    std::string time = base::rfc3339(base::SystemClock().now());
    time.resize(time.find('.'));
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    std::string aside = folder.file("before-restore-" + time + 'Z');
    for (int more = 2; ::mkdir(aside.c_str(), 0700) != 0; ++more) {
        if (errno != EEXIST || more > 100) return failed("make '" + aside + "'");
        aside = folder.file("before-restore-" + time + "Z-" + std::to_string(more));
    }
    litter.insert(litter.begin(), aside);
    for (const char* name : kFiles) litter.insert(litter.begin(), aside + '/' + name);
    StopRequest::set_litter(std::move(litter));
    for (const char* name : kFiles) {
        const std::string from = folder.file(name);
        const std::string to = aside + '/' + name;
        if (!exists(from) || ::link(from.c_str(), to.c_str()) == 0) continue;
        // A file system without hard links.
        std::error_code ignored;
        auto enough = check_space(folder.path(), fs::file_size(from, ignored));
        if (!enough) return enough.error();
        if (auto copied = copy_durably(from, to); !copied) return copied.error();
    }
    if (auto done = sqlite::sync_folder(aside); !done) return done.error();
    if (auto done = sqlite::sync_folder(folder.path()); !done) return done.error();
    return aside;
}

Result<void> write_mark(const std::string& path, const sqlite::Mark& mark) {
    ::unlink(path.c_str());
    auto file = sqlite::MarkFile::open(path);
    if (!file) return file.error();
    if (auto done = file->write(mark); !done) return done;
    const sqlite::File written(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (::fsync(written.descriptor()) != 0) return failed("write '" + path + "'");
    return {};
}

struct Restored {
    sqlite::Mark mark;
    std::string aside;
};

// The copy under way, and what SQLite lays beside it.
std::vector<std::string> fresh_files(const DataFolder& folder) {
    const std::string fresh = folder.file(kFresh);
    return {fresh, fresh + "-journal", fresh + "-wal", fresh + "-shm"};
}

// The backup as a database of its own in the folder, durable, in a new epoch. Its mark.
Result<sqlite::Mark> make_fresh(const DataFolder& folder, const std::string& backup,
                                const ledger::BackupFacts& verified) {
    // Those of a restore that was killed: SQLite would undo changes of this copy with them.
    for (const std::string& left : fresh_files(folder)) {
        if (::unlink(left.c_str()) != 0 && errno != ENOENT) return failed("remove '" + left + "'");
    }
    const std::string fresh = folder.file(kFresh);
    if (auto done = copy_durably(backup, fresh); !done) return done.error();
    base::SystemRandom random;
    auto mark = sqlite::renew_epoch(fresh, random);
    if (!mark) return mark;
    // Before anything goes for it.
    const auto facts = sqlite::read_copy(fresh, [] { return !goes_on(); });
    if (!facts) return facts.error();
    ledger::BackupFacts expected = verified;
    expected.epoch = mark->epoch;
    if (*facts != expected) {
        return Error{ErrorCode::kIntegrity,
                     "the copy '" + fresh + "' is not what was verified; nothing was restored"};
    }
    return mark;
}

// Puts the new database in the place of the old one, which is complete in `aside` (empty: there was
// none). The litter stays until the first old file goes; from then on a failure says what is left.
Result<void> replace_old(const DataFolder& folder, const std::string& aside) {
    bool begun = false;
    const auto failure = [&](Error error) {
        if (begun) {
            error.detail += "; the database that was here is kept in '" + aside +
                            "', and the same restore again goes on from here";
        }
        return error;
    };
    for (const std::string_view name : kFiles) {
        // The new one takes its place.
        if (name == "standings.mark") continue;
        const std::string old = folder.file(std::string(name));
        if (::unlink(old.c_str()) != 0) {
            if (errno == ENOENT) continue;
            return failure(failed("remove '" + old + "'"));
        }
        StopRequest::set_litter({});
        begun = true;
        // In this order on the disk, too.
        if (auto done = sqlite::sync_folder(folder.path()); !done) return failure(done.error());
    }
    if (::rename(folder.file(kFresh).c_str(), folder.file("standings.db").c_str()) != 0) {
        return failure(failed("put the new database in place"));
    }
    begun = !aside.empty();
    if (begun) StopRequest::set_litter({});
    if (::rename(folder.file(kFreshMark).c_str(), folder.file("standings.mark").c_str()) != 0) {
        auto error = failed("put the new mark in place");
        // Where nothing was, nothing is left.
        if (!begun) ::unlink(folder.file("standings.db").c_str());
        return failure(std::move(error));
    }
    StopRequest::set_litter({});
    if (auto done = sqlite::sync_folder(folder.path()); !done) {
        Error error = done.error();
        if (!aside.empty()) {
            error.detail += "; the database that was here is kept in '" + aside + "', and";
        } else {
            error.detail += ";";
        }
        error.detail += " the restored database is in its place, which a loss of power may undo";
        return error;
    }
    return {};
}

// Killed at any moment, this leaves the old database in its place or complete in `aside`; in
// between a start refuses, since the mark file names events that no database holds.
Result<Restored> put_in_place(const DataFolder& folder, const std::string& backup,
                              const ledger::BackupFacts& verified) {
    std::vector<std::string> litter = fresh_files(folder);
    litter.push_back(folder.file(kFreshMark));
    litter.insert(litter.end(), folder.made().begin(), folder.made().end());
    StopRequest::set_litter(litter);
    auto mark = make_fresh(folder, backup, verified);
    if (!mark) return mark.error();
    if (auto done = write_mark(folder.file(kFreshMark), *mark); !done) return done.error();

    // From here on to the end.
    const StopRequest::Hold hold;
    if (!goes_on()) return Error{ErrorCode::kCancelled, "interrupted"};
    StopRequest::set_last_words({});
    auto aside = keep_old(folder, std::move(litter));
    if (!aside) return aside.error();
    if (auto done = replace_old(folder, *aside); !done) return done.error();
    return Restored{*std::move(mark), *std::move(aside)};
}

// Takes the litter away at the end of the scope, in which the folder is locked: afterwards what has
// those names may be a server's.
struct LitterGuard {
    LitterGuard() = default;
    LitterGuard(const LitterGuard&) = delete;
    LitterGuard& operator=(const LitterGuard&) = delete;
    ~LitterGuard() {
        StopRequest::remove_litter();
        StopRequest::set_litter({});
    }
};

Result<void> restore(const RestoreSettings& settings) {
    std::error_code ignored;
    if (fs::is_directory(settings.backup, ignored)) {
        return Error{ErrorCode::kSettings,
                     "'" + settings.backup + "' is a folder; name the backup, a .db file, in it"};
    }
    if (const auto status = fs::status(settings.backup, ignored); !fs::is_regular_file(status)) {
        return Error{ErrorCode::kSettings,
                     "there is no backup '" + settings.backup + "'" +
                         (status.type() == fs::file_type::none ? ": " + ignored.message() : "")};
    }
    // The file alone would lack what its log holds.
    const fs::path log = settings.backup + "-wal";
    if (exists(log.string()) && fs::file_size(log, ignored) > 0) {
        const fs::path file = fs::absolute(settings.backup, ignored);
        const std::string advice = file.filename() == "standings.db"
                                       ? "Make a backup of it: standings backup --data " +
                                             cli::shell_word(file.parent_path().string())
                                       : "Take another one";
        return Error{ErrorCode::kSettings, "'" + settings.backup +
                                               "' is no backup: newer changes lie in '" +
                                               log.string() + "'. " + advice};
    }
    if (sqlite::has_hot_journal(settings.backup)) {
        return Error{ErrorCode::kSettings, "'" + settings.backup +
                                               "' is no backup: it holds changes that never ended, "
                                               "which '" +
                                               settings.backup +
                                               "-journal' undoes. Take another one"};
    }
    const auto verified = verify(settings.backup);
    if (!verified) return verified.error();
    if (fs::equivalent(settings.backup, fs::path(settings.data) / kFresh, ignored)) {
        return Error{ErrorCode::kSettings,
                     "'" + settings.backup +
                         "' is the copy that a restore into this folder makes, and would be "
                         "replaced. Move it out of the folder, or name another backup"};
    }
    auto folder = DataFolder::open(settings.data);
    if (!folder) return folder.error();
    const LitterGuard guard;
    folder->note_address("restoring a backup");
    StopRequest::set_litter(folder->made());
    if (auto done = check_space(settings.data, fs::file_size(settings.backup, ignored)); !done)
        return done;
    const auto restored = put_in_place(*folder, settings.backup, verified->report.facts);
    if (!restored) return restored.error();

    const sqlite::CheckReport& report = verified->report;
    std::printf("Restored %s into %s\n", settings.backup.c_str(), settings.data.c_str());
    std::printf(
        "  %s, %s, %s, up to seq %llu\n"
        "  A new epoch, %s: positions that clients remember from before count no more.\n",
        counted(report.facts.boards, "board", "boards").c_str(),
        counted(report.facts.players, "player", "players").c_str(),
        counted(report.events, "event", "events").c_str(),
        static_cast<unsigned long long>(report.facts.seq.value), restored->mark.epoch.c_str());
    if (!verified->has_manifest) {
        std::puts(
            "  No manifest lay beside the backup: all rows were verified, the file's sum was not.");
    }
    if (restored->aside.empty()) return {};
    const std::string data = cli::shell_word(settings.data);
    std::printf(
        "  The database that was here is kept in %s\n"
        "To undo, while no server runs:\n"
        "  rm -f -- %s/standings.db* %s/standings.mark && mv -- %s/* %s/\n",
        restored->aside.c_str(), data.c_str(), data.c_str(),
        cli::shell_word(restored->aside).c_str(), data.c_str());
    return {};
}

int run(RestoreSettings& settings) {
    const auto values = settings.flags.settle();
    if (!values) {
        cli::complain(values.error().detail);
        return exit_code(values.error().code);
    }
    settings.data = values->text("data");
    const StopRequest stop;
    StopRequest::set_last_words("\nstandings: interrupted. Nothing was restored.\n");
    const auto restored = restore(settings);
    if (restored) return 0;
    if (restored.error().code == ErrorCode::kCancelled) return StopRequest::end();
    cli::complain(restored.error().detail);
    return exit_code(restored.error().code);
}

}  // namespace

void add_restore(cli::CommandLine& line) {
    auto settings = std::make_shared<RestoreSettings>();
    CLI::App* command = line.app.add_subcommand(
        "restore", "Put a backup in the place of a folder's database, which is kept aside");
    command->add_option("BACKUP", settings->backup, "The backup, a .db file")->required();
    settings->flags.add_to(*command, {"data"});
    command->callback([&line, settings] { line.chosen = [settings] { return run(*settings); }; });
}

}  // namespace standings::server
