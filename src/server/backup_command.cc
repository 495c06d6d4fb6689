#include "server/backup_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/output_path.h"
#include "cli/http_client.h"
#include "cli/terminal.h"
#include "cli/usage.h"
#include "jobs/backup_folder.h"
#include "ledger/sqlite/database_copy.h"
#include "server/data_folder.h"
#include "server/progress_line.h"
#include "server/serve.h"
#include "server/version.h"
#include "text/json_document.h"

namespace standings::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr auto kAskEvery = std::chrono::milliseconds(200);

struct BackupSettings {
    cli::ClientSettings client;
    std::string data;  // empty: ask the server
    std::string to;
    std::string output = "text";
};

// --- a running server -------------------------------------------------------------------------

std::string text_of(const text::JsonDocument& document, const text::JsonNode& object,
                    std::string_view key) {
    const auto* node = document.member(object, key);
    return node == nullptr ? std::string() : std::string(node->text);
}

std::uint64_t number_of(const text::JsonDocument& document, const text::JsonNode& object,
                        std::string_view key) {
    return std::strtoull(text_of(document, object, key).c_str(), nullptr, 10);
}

// What a job made, once it has ended.
Result<std::string> wait_for_job(cli::HttpClient& client, const std::string& id) {
    ProgressLine progress("Backup");
    while (true) {
        const auto answer = client.send({.target = "/v1/jobs/" + cli::escaped(id)});
        if (!answer) return answer.error();
        if (!answer->is_ok()) return cli::error_of(*answer);
        text::JsonDocument document;
        const auto job = document.parse(answer->body);
        if (!job) return job.error().with_context("the answer of " + client.server());
        const std::string state = text_of(document, **job, "state");
        if (state == "done") return text_of(document, **job, "result");
        const std::string detail = text_of(document, **job, "detail");
        if (state != "running") {
            return Error{ErrorCode::kIo, "the backup " + state + ": " + detail};
        }
        progress.show(detail, number_of(document, **job, "done"),
                      number_of(document, **job, "total"), "bytes");
        std::this_thread::sleep_for(kAskEvery);
    }
}

Result<jobs::BackupManifest> find_backup(cli::HttpClient& client, const std::string& name) {
    const auto answer = client.send({.target = "/v1/backups"});
    if (!answer) return answer.error();
    if (!answer->is_ok()) return cli::error_of(*answer);
    text::JsonDocument document;
    const auto list = document.parse(answer->body);
    if (!list) return list.error().with_context("the answer of " + client.server());
    std::string found;
    if (const auto* items = document.member(**list, "items")) {
        document.for_each(*items, [&](const text::JsonNode& item) {
            if (text_of(document, item, "name") == name) document.write(item, found);
        });
    }
    return jobs::manifest_from_json(found);
}

class NewFile {
  public:
    explicit NewFile(const std::string& path)
        : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
    ~NewFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    bool is_open() const { return descriptor_ >= 0; }
    bool write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
            if (put <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
        return true;
    }
    bool sync() { return ::fsync(descriptor_) == 0; }

  private:
    int descriptor_;
};

Error cannot_write(const std::string& path) {
    return {errno == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo,
            "cannot write '" + path + "': " + std::strerror(errno)};
}

// The server's file, compared with its manifest before it gets its name.
Result<void> download(cli::HttpClient& client, const jobs::BackupManifest& manifest,
                      const std::string& to) {
    const std::string part = to + ".part";
    {
        NewFile file(part);
        if (!file.is_open()) return cannot_write(part);
        ProgressLine progress("Download");
        std::uint64_t got = 0;
        const auto take = [&](std::string_view bytes) {
            got += bytes.size();
            progress.show("", got, manifest.bytes, "bytes");
            return file.write(bytes);
        };
        const auto answer =
            client.download({.target = "/v1/backups/" + cli::escaped(manifest.name)}, take);
        if (!answer) return answer.error();
        if (!answer->is_ok()) return cli::error_of(*answer);
        if (!file.sync()) return cannot_write(part);
    }
    const auto sum = jobs::sum_file(part);
    if (!sum) return sum.error();
    if (sum->bytes != manifest.bytes || sum->crc32c != manifest.crc32c) {
        return Error{ErrorCode::kIntegrity,
                     "'" + part + "' is not what the server has; download it again"};
    }
    return jobs::put_in_place(part, to, manifest);
}

Result<jobs::BackupManifest> ask_server(const BackupSettings& settings) {
    auto client = cli::HttpClient::open(settings.client);
    if (!client) return client.error();
    std::string to;
    if (!settings.to.empty()) {
        // Before the server makes a backup that has nowhere to go.
        const auto real = base::replaceable_path(settings.to);
        if (!real) return real.error();
        to = *real;
        const std::string part = to + ".part";
        if (!NewFile(part).is_open()) return cannot_write(settings.to);
        ::unlink(part.c_str());
    }
    const auto answer = client->send({.method = "POST", .target = "/v1/backups"});
    if (!answer) return answer.error();
    if (!answer->is_ok()) return cli::error_of(*answer);
    text::JsonDocument document;
    const auto job = document.parse(answer->body);
    if (!job) return job.error().with_context("the answer of " + client->server());
    const auto name = wait_for_job(*client, text_of(document, **job, "id"));
    if (!name) return name.error();
    auto manifest = find_backup(*client, *name);
    if (!manifest || to.empty()) return manifest;
    if (auto done = download(*client, *manifest, to); !done) return done.error();
    return manifest;
}

// --- a stopped server ---------------------------------------------------------------------------

Result<jobs::BackupManifest> copy_folder(const BackupSettings& settings, std::string& made) {
    const std::string database = settings.data + "/standings.db";
    std::error_code failure;
    if (!std::filesystem::exists(database, failure)) {
        if (failure) {
            return Error{ErrorCode::kIo,
                         "cannot look into '" + settings.data + "': " + failure.message()};
        }
        return Error{ErrorCode::kSettings,
                     "'" + settings.data + "' holds no standings.db; name the data folder"};
    }
    auto folder = DataFolder::open(settings.data);
    if (!folder) {
        Error error = folder.error();
        if (error.code == ErrorCode::kBusy) {
            error.detail +=
                "; a running server makes its backup itself: standings backup "
                "--server URL --key KEY";
        }
        return error;
    }
    const base::SystemClock clock;
    const auto began = clock.monotonic();
    std::string to = settings.to;
    if (to.empty()) {
        auto backups = jobs::BackupFolder::open(folder->file("backups"));
        if (!backups) return backups.error();
        to = backups->file("standings-" + std::to_string(::getpid()) + ".db");
    }
    auto real = base::replaceable_path(to);
    if (!real) return real.error();
    to = *std::move(real);
    const std::string part = to + ".part";
    ::unlink(part.c_str());
    {
        ProgressLine progress("Backup");
        const auto copied =
            ledger::sqlite::copy_database(database, part, [&](const ledger::BackupProgress& at) {
                progress.show("copying", at.done_bytes, at.total_bytes, "bytes");
                return true;
            });
        if (!copied) return ::unlink(part.c_str()), copied.error();
    }
    auto facts = ledger::sqlite::seal_copy(part);
    if (!facts) return ::unlink(part.c_str()), facts.error();
    const auto sum = jobs::sum_file(part);
    if (!sum) return ::unlink(part.c_str()), sum.error();

    jobs::BackupManifest manifest{.version = kVersion, .created_at = clock.now()};
    manifest.facts = *std::move(facts);
    manifest.bytes = sum->bytes;
    manifest.crc32c = sum->crc32c;
    manifest.took_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.monotonic() - began).count());
    if (settings.to.empty()) {
        manifest.name = jobs::backup_name(manifest.created_at, manifest.facts.seq);
        to = folder->file("backups/" + manifest.name);
    } else {
        manifest.name = std::filesystem::path(to).filename().string();
    }
    if (auto done = jobs::put_in_place(part, to, manifest); !done) return done.error();
    made = to;
    return manifest;
}

int run(const BackupSettings& settings) {
    std::string made = settings.to;
    const auto manifest =
        settings.data.empty() ? ask_server(settings) : copy_folder(settings, made);
    if (!manifest) {
        cli::complain(manifest.error().detail);
        return exit_code(manifest.error().code);
    }
    if (settings.output == "json") {
        std::puts(jobs::to_json(*manifest).c_str());
        return 0;
    }
    const std::string where = made.empty() ? manifest->name + " (on the server)" : made;
    std::printf("%s\n%s, %llu boards, %llu players, up to seq %llu of epoch %s, in %.1f s\n",
                where.c_str(), readable_bytes(manifest->bytes).c_str(),
                static_cast<unsigned long long>(manifest->facts.boards),
                static_cast<unsigned long long>(manifest->facts.players),
                static_cast<unsigned long long>(manifest->facts.seq.value),
                manifest->facts.epoch.c_str(), static_cast<double>(manifest->took_ms) / 1e3);
    return 0;
}

}  // namespace

void add_backup(cli::CommandLine& line) {
    auto settings = std::make_shared<BackupSettings>();
    CLI::App* backup = line.app.add_subcommand(
        "backup", "Back up a running server (--server), or the folder of a stopped one (--data)");
    cli::add_client_settings(*backup, settings->client);
    backup->add_option("--data", settings->data, "Folder of a stopped server")
        ->type_name("PATH")
        ->excludes(backup->get_option("--server"));
    backup->add_option("--to", settings->to,
                       "File to write; default: the folder's own backups, on the server's side");
    backup->add_option("-o,--output", settings->output, "text or json")
        ->transform(cli::one_of({"text", "json"}))
        ->capture_default_str();
    backup->callback([&line, settings] { line.chosen = [settings] { return run(*settings); }; });
}

}  // namespace standings::server
