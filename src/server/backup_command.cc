#include "server/backup_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/output_path.h"
#include "base/write_all.h"
#include "cli/http_client.h"
#include "cli/progress_line.h"
#include "cli/stop_request.h"
#include "cli/terminal.h"
#include "jobs/backup_folder.h"
#include "ledger/sqlite/database_copy.h"
#include "ledger/sqlite/schema.h"
#include "server/damage_advice.h"
#include "server/data_folder.h"
#include "server/serve.h"
#include "server/version.h"
#include "settings/values.h"
#include "text/json_document.h"

namespace standings::server {
namespace {

using cli::counted;
using cli::ProgressLine;
using cli::readable_bytes;

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Result;
using cli::StopRequest;

constexpr auto kAskEvery = std::chrono::milliseconds(200);

struct BackupSettings {
    cli::ClientSettings client;
    std::string data;  // empty: ask the server
    std::string to;
    bool as_json = false;
    std::optional<std::string> config;  // --config
};

// Where a signal came; the last words say what that means.
Error interrupted() {
    return {ErrorCode::kCancelled, "interrupted"};
}

struct Made {
    jobs::BackupManifest manifest;
    std::string where;  // for a person
    // Why old backups that were to go have stayed.
    std::optional<Error> not_removed = {};
};

// The end of making one, which no signal divides.
Result<void> finish(const std::string& part, const std::string& to,
                    const jobs::BackupManifest& manifest) {
    const StopRequest::Hold hold;
    if (StopRequest::signal() != 0) return interrupted();
    if (auto done = jobs::put_in_place(part, to, manifest); !done) return done;
    StopRequest::set_litter({});
    StopRequest::set_last_words("\nstandings: interrupted. The backup is made: " + to + '\n');
    return {};
}

// Whether SQLite's header (www.sqlite.org/fileformat.html, 1.3) says that the file is one of ours.
bool is_database_of_ours(const std::string& path) {
    constexpr std::size_t kApplicationIdAt = 68;
    std::array<char, kApplicationIdAt + 4> header{};
    std::ifstream file(path, std::ios::binary);
    file.read(header.data(), header.size());
    std::int64_t id = 0;
    for (std::size_t i = kApplicationIdAt; i < header.size(); ++i) {
        id = id << 8 | static_cast<unsigned char>(header[i]);
    }
    return file.good() && id == ledger::sqlite::kApplicationId;
}

// Where a file that --to names is written, before anything is made for it.
Result<std::string> writable_target(const std::string& to) {
    auto real = base::replaceable_path(to);
    if (!real) return real;
    std::error_code ignored;
    const fs::path folder = fs::absolute(*real, ignored).parent_path();
    if (fs::exists(folder / "standings.db", ignored) && fs::exists(folder / "lock", ignored)) {
        return Error{ErrorCode::kSettings,
                     "'" + to +
                         "' would lie among a server's own files, in its data folder; name a file "
                         "elsewhere"};
    }
    // Else two backups would share one manifest.
    if (fs::path(*real).extension() != ".db") {
        return Error{
            ErrorCode::kSettings,
            "'" + *real + "' is no name for a backup: that is NAME.db, and its manifest NAME.json"};
    }
    const auto manifest = jobs::read_manifest(*real);
    if (!manifest && manifest.error().code == ErrorCode::kIntegrity) {
        return Error{ErrorCode::kSettings,
                     "'" + jobs::manifest_path(*real) +
                         "' would be replaced by the backup's manifest, and is none; name another "
                         "file than '" +
                         to + "'"};
    }
    if (!manifest) return manifest.error();
    if (fs::exists(*real, ignored) && !is_database_of_ours(*real)) {
        return Error{
            ErrorCode::kSettings,
            "'" + to + "' would be replaced by the backup, and is none; name another file"};
    }
    return real;
}

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

struct JobView {
    std::string id;
    std::string state;
    std::string detail;
    std::string result;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
};

Result<JobView> ask_for_job(cli::HttpClient& client, const cli::HttpRequest& request) {
    const auto answer = client.send(request);
    if (!answer) return answer.error();
    if (!answer->is_ok()) return cli::error_of(*answer);
    text::JsonDocument document;
    const auto job = document.parse(answer->body);
    if (!job) return job.error().with_context("the answer of " + client.server());
    return JobView{.id = text_of(document, **job, "id"),
                   .state = text_of(document, **job, "state"),
                   .detail = text_of(document, **job, "detail"),
                   .result = text_of(document, **job, "result"),
                   .done = number_of(document, **job, "done"),
                   .total = number_of(document, **job, "total")};
}

// Ends the job of a command that a signal has stopped. The last words say what became of it.
void cancel_job(cli::HttpClient& client, const std::string& id) {
    const std::string path = "/v1/jobs/" + cli::escaped(id);
    auto job = ask_for_job(client, {.method = "DELETE", .target = path});
    if (!job) {
        // Those of before say how to cancel it by hand.
        cli::complain("the server could not be asked to cancel: " + job.error().detail);
        return;
    }
    StopRequest::set_last_words(
        "\nstandings: interrupted. The server was asked to cancel the backup.\n");
    while (job && job->state == "running") {
        std::this_thread::sleep_for(kAskEvery);
        job = ask_for_job(client, {.target = path});
    }
    if (!job) return;
    std::string end = "The backup was cancelled, nothing of it is left.";
    if (job->state == "done") {
        end = "The backup was whole already: " + job->result + " (on the server).";
    } else if (job->state != "cancelled") {
        end = "The backup had " + job->state + ": " + job->detail;
    }
    StopRequest::set_last_words("\nstandings: interrupted. " + end + '\n');
}

// What a job made, once it has ended.
Result<std::string> wait_for_job(cli::HttpClient& client, const std::string& id) {
    const std::string path = "/v1/jobs/" + cli::escaped(id);
    StopRequest::set_last_words(
        "\nstandings: interrupted. The server's job " + id +
        " may go on; cancel it by: curl -X DELETE -H 'Authorization: Bearer KEY' " +
        client.server() + path + '\n');
    ProgressLine progress("Backup");
    while (true) {
        const auto job = ask_for_job(client, {.target = path});
        if (!job) return job.error();
        if (job->state == "done") return job->result;
        if (StopRequest::signal() != 0) {
            cancel_job(client, id);
            return interrupted();
        }
        if (job->state != "running") {
            return Error{ErrorCode::kIo, "the backup " + job->state + ": " + job->detail};
        }
        progress.show(job->detail, job->done, job->total, "bytes");
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
    if (found.empty()) {
        return Error{ErrorCode::kBackupNotFound,
                     "the backup " + name + " was made, and is gone from the server already"};
    }
    return jobs::manifest_from_json(found);
}

class NewFile {
  public:
    explicit NewFile(const std::string& path)
        : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {}
    ~NewFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    bool is_open() const { return descriptor_ >= 0; }
    bool write(std::string_view bytes) { return base::write_all(descriptor_, bytes); }
    bool sync() { return ::fsync(descriptor_) == 0; }

  private:
    int descriptor_;
};

Error cannot_write(const std::string& path) {
    return {errno == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo,
            "cannot write '" + path + "': " + std::strerror(errno)};
}

Result<jobs::FileSum> sum_of(const std::string& file) {
    std::error_code ignored;
    const std::uint64_t size = fs::file_size(file, ignored);
    ProgressLine progress("Backup");
    return jobs::sum_file(file, [&](std::uint64_t bytes) {
        progress.show("summing", bytes, size, "bytes");
        return StopRequest::signal() == 0;
    });
}

// The server's file, compared with its manifest before it gets its name.
Result<void> download(cli::HttpClient& client, const jobs::BackupManifest& manifest,
                      const std::string& to) {
    const std::string part = jobs::part_of(to);
    StopRequest::set_litter(jobs::part_files(part));
    {
        NewFile file(part);
        if (!file.is_open()) return cannot_write(part);
        ProgressLine progress("Download");
        std::uint64_t got = 0;
        int write_error = 0;
        const auto take = [&](std::string_view bytes) {
            got += bytes.size();
            progress.show("", got, manifest.bytes, "bytes");
            if (!file.write(bytes)) write_error = errno;
            return StopRequest::signal() == 0 && write_error == 0;
        };
        const auto answer =
            client.download({.target = "/v1/backups/" + cli::escaped(manifest.name)}, take);
        if (write_error != 0) {
            errno = write_error;
            return cannot_write(part).with_context("the backup stays on the server as " +
                                                   manifest.name);
        }
        if (!answer) return answer.error();
        if (!answer->is_ok()) return cli::error_of(*answer);
        if (!file.sync()) return cannot_write(part);
    }
    const auto sum = sum_of(part);
    if (!sum) return sum.error();
    if (sum->bytes != manifest.bytes || sum->crc32c != manifest.crc32c) {
        return Error{ErrorCode::kIntegrity, "what came of " + manifest.name +
                                                " is not what the server has; download it again"};
    }
    return finish(part, to, manifest);
}

Result<Made> ask_server(const BackupSettings& settings) {
    auto client = cli::HttpClient::open(settings.client);
    if (!client) return client.error();
    std::string to;
    if (!settings.to.empty()) {
        // Before the server makes a backup that has nowhere to go.
        const auto target = writable_target(settings.to);
        if (!target) return target.error();
        to = *target;
        const std::string part = jobs::part_of(to);
        if (!NewFile(part).is_open()) return cannot_write(settings.to);
        ::unlink(part.c_str());
    }
    StopRequest::set_last_words(
        "\nstandings: interrupted. The server may have begun a backup; GET " + client->server() +
        "/v1/jobs lists it.\n");
    const auto job = ask_for_job(*client, {.method = "POST", .target = "/v1/backups"});
    if (!job) return job.error();
    const auto name = wait_for_job(*client, job->id);
    if (!name) return name.error();
    StopRequest::set_last_words(
        "\nstandings: interrupted. " +
        (to.empty() ? "The backup is whole: " + *name + " (on the server)"
                    : "'" + to + "' was not written; the backup stays on the server as " + *name) +
        ".\n");
    auto manifest = find_backup(*client, *name);
    if (!manifest) return manifest.error();
    if (to.empty()) return Made{*manifest, *name + " (on the server)"};
    if (auto done = download(*client, *manifest, to); !done) return done.error();
    return Made{*std::move(manifest), settings.to};
}

// --- a stopped server ---------------------------------------------------------------------------

// Where a backup without a name of its own goes, and how many are kept there.
struct OwnFolder {
    jobs::BackupFolder backups;
    jobs::Unfinished unfinished;
    std::size_t keep;
};

Result<OwnFolder> open_own_folder(const BackupSettings& settings, const DataFolder& folder) {
    settings::Inputs inputs{.used = {},
                            .config = settings.config,
                            .environment = settings::process_environment(),
                            .look_in_working_directory = true};
    for (const char* key : {"data", "backup.folder", "backup.keep"}) {
        inputs.used.set(settings::find_key(key).value());
    }
    auto values = settings::Values::settle(inputs);
    if (!values) return values.error();
    // Those of another folder's server say where that one keeps its backups, and how many.
    std::error_code ignored;
    if (!fs::equivalent(values->text("data"), folder.path(), ignored)) {
        values = settings::Values::settle({});
    }
    const std::string& chosen = values->text("backup.folder");
    auto backups = jobs::BackupFolder::open(chosen.empty() ? folder.file("backups") : chosen);
    if (!backups) return backups.error();
    jobs::Unfinished unfinished = backups->begin();
    return OwnFolder{*std::move(backups), std::move(unfinished),
                     std::max<std::size_t>(values->count("backup.keep"), 1)};
}

Result<Made> copy_folder(const BackupSettings& settings) {
    const std::string database = settings.data + "/standings.db";
    if (auto held = check_holds_database(settings.data); !held) return held.error();
    auto folder = DataFolder::open(settings.data);
    if (!folder) {
        Error error = folder.error();
        if (error.code == ErrorCode::kBusy) {
            error.detail +=
                "; a running server makes its backup itself: standings backup --server URL, with "
                "its key in STANDINGS_KEY";
        }
        return error;
    }
    StopRequest::set_last_words("\nstandings: interrupted. No backup was made.\n");
    const auto goes_on = [] { return StopRequest::signal() == 0; };
    const base::SystemClock clock;
    const auto began = clock.monotonic();
    std::string to = settings.to;
    std::optional<OwnFolder> own;
    if (to.empty()) {
        auto opened = open_own_folder(settings, *folder);
        if (!opened) return opened.error();
        own.emplace(*std::move(opened));
    } else {
        auto target = writable_target(to);
        if (!target) return target.error();
        to = *std::move(target);
    }
    const std::string part = own ? own->unfinished.part() : jobs::part_of(to);
    StopRequest::set_litter(jobs::part_files(part));
    {
        ProgressLine progress("Backup");
        const auto copied =
            ledger::sqlite::copy_database(database, part, [&](const ledger::BackupProgress& at) {
                progress.show("copying", at.done_bytes, at.total_bytes, "bytes");
                return goes_on();
            });
        if (!copied) return with_advice(naming_file(copied.error(), database), settings.data);
    }
    auto facts = ledger::sqlite::seal_copy(part, [&] { return !goes_on(); });
    if (!facts) return with_advice(naming_file(facts.error(), database), settings.data);
    const auto sum = sum_of(part);
    if (!sum) return sum.error();

    jobs::BackupManifest manifest{.version = kVersion, .created_at = clock.now()};
    manifest.facts = *std::move(facts);
    manifest.bytes = sum->bytes;
    manifest.crc32c = sum->crc32c;
    manifest.took_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.monotonic() - began).count());
    if (own) {
        manifest.name = own->backups.new_name(manifest.created_at, manifest.facts.seq);
        to = own->backups.file(manifest.name);
    } else {
        manifest.name = fs::path(to).filename().string();
    }
    if (auto done = finish(part, to, manifest); !done) return done.error();
    Made made{std::move(manifest), to};
    if (!own) return made;
    auto kept = own->backups.keep(own->keep, made.manifest.facts.database_id);
    if (!kept) made.not_removed = kept.error().with_context("old backups stay");
    return made;
}

void print(const Made& made, bool as_json) {
    const jobs::BackupManifest& manifest = made.manifest;
    if (as_json) {
        std::puts(jobs::to_json(manifest).c_str());
        return;
    }
    std::printf("%s\n%s, %s, %s, up to seq %llu of epoch %s, in %.1f s\n", made.where.c_str(),
                readable_bytes(manifest.bytes).c_str(),
                counted(manifest.facts.boards, "board", "boards").c_str(),
                counted(manifest.facts.players, "player", "players").c_str(),
                static_cast<unsigned long long>(manifest.facts.seq.value),
                manifest.facts.epoch.c_str(), static_cast<double>(manifest.took_ms) / 1e3);
}

int run(const BackupSettings& settings) {
    const StopRequest stop;
    const auto made = settings.data.empty() ? ask_server(settings) : copy_folder(settings);
    if (!made) {
        if (StopRequest::signal() != 0) return StopRequest::end();
        StopRequest::remove_litter();
        cli::complain(made.error().detail);
        return exit_code(made.error().code);
    }
    print(*made, settings.as_json);
    if (!made->not_removed) return 0;
    cli::complain(made->not_removed->detail);
    return exit_code(made->not_removed->code);
}

}  // namespace

void add_backup(cli::CommandLine& line) {
    auto settings = std::make_shared<BackupSettings>();
    CLI::App* backup = line.app.add_subcommand(
        "backup", "Back up a running server (--server), or the folder of a stopped one (--data)");
    cli::add_client_settings(*backup, settings->client,
                             cli::add_report_output(*backup, settings->as_json));
    backup->add_option("--data", settings->data, "Folder of a stopped server")
        ->type_name("PATH")
        ->excludes(backup->get_option("--server"));
    backup->add_option("--to", settings->to,
                       "File to write; default: the folder's own backups, on the server's side");
    const CLI::Option* config = backup->get_option("--config");
    backup->callback([&line, settings, config] {
        if (config->count() > 0) settings->config = config->as<std::string>();
        line.chosen = [settings] { return run(*settings); };
    });
}

}  // namespace standings::server
