#include "server/check_command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/progress_line.h"
#include "cli/stop_request.h"
#include "cli/terminal.h"
#include "ledger/sqlite/check.h"
#include "ledger/sqlite/database_copy.h"
#include "server/damage_advice.h"
#include "server/data_folder.h"
#include "server/rank_check.h"
#include "server/serve.h"
#include "settings/flags.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::server {
namespace {

using cli::counted;
using cli::ProgressLine;

namespace fs = std::filesystem;
namespace sqlite = ledger::sqlite;
using base::Error;
using base::ErrorCode;
using base::Result;
using cli::StopRequest;

struct CheckSettings {
    settings::Flags flags;
    cli::ClientSettings client;
    bool ask_server = false;
    std::optional<cli::OutputChoice> output;
    std::string data;
    bool deep = false;
    bool as_json = false;
};

struct Outcome {
    sqlite::CheckReport database;
    std::optional<RankReport> ranks;
    std::string owner;  // the server that runs on the folder; empty: none

    bool whole() const { return database.whole() && (!ranks || ranks->damages == 0); }
};

Result<Outcome> check(const CheckSettings& settings) {
    const fs::path database = fs::path(settings.data) / "standings.db";
    if (auto held = check_holds_database(settings.data); !held) return held.error();
    Outcome outcome;
    // Held until the end: no server begins to write while a file is read without locks.
    const auto folder = DataFolder::open_to_read(settings.data, outcome.owner);
    if (!folder) return folder.error();

    sqlite::CheckOptions options{.database = database, .deep = settings.deep};
    if (*folder) {
        const auto access = sqlite::read_access(database);
        if (!access) return access.error();
        options.frozen = *access == sqlite::Access::kFrozen;
    }
    options.mark = fs::path(settings.data) / "standings.mark";
    ProgressLine progress("Check");
    options.progress = [&](const char* table, std::uint64_t done, std::uint64_t total) {
        progress.show(table, done, total, "");
        return StopRequest::signal() == 0;
    };
    auto report = sqlite::check_database(options);
    if (!report) return naming_file(report.error(), database.string());
    outcome.database = *std::move(report);
    if (!settings.ask_server) return outcome;

    if (*folder) {  // held by us, so by no server
        return Error{ErrorCode::kSettings, "no server runs on '" + settings.data +
                                               "': that of --server has another folder"};
    }
    auto ranks = check_ranks(settings.client, database, outcome.database.facts.epoch);
    if (!ranks) return ranks.error();
    outcome.ranks = *std::move(ranks);
    return outcome;
}

std::string list_of(const std::vector<std::string>& names) {
    std::string text;
    const std::size_t named = std::min(names.size(), RankReport::kMostNamed);
    for (std::size_t i = 0; i < named; ++i) text += (i > 0 ? ", " : "") + names[i];
    if (names.size() > named) text += " and " + std::to_string(names.size() - named) + " more";
    return text;
}

// What is not wrong, but worth knowing.
std::vector<std::string> notes_of(const Outcome& outcome) {
    std::vector<std::string> notes;
    if (outcome.ranks && !outcome.ranks->moving.empty()) {
        notes.push_back("not compared, since they moved all the time: " +
                        list_of(outcome.ranks->moving) + "; ask again at a quiet time");
    }
    if (outcome.ranks && !outcome.ranks->hidden.empty()) {
        notes.push_back("not compared, since they are private: " + list_of(outcome.ranks->hidden) +
                        "; give a key that may read private boards with --key or STANDINGS_KEY");
    }
    notes.insert(notes.end(), outcome.database.notes.begin(), outcome.database.notes.end());
    return notes;
}

void append_findings(std::string& out, const Outcome& outcome) {
    bool first = true;
    const auto add = [&](std::string_view table, std::string_view row, std::string_view what) {
        if (!std::exchange(first, false)) out += ',';
        out += '{';
        text::append_member(out, "table", table);
        out += ',';
        text::append_member(out, "row", row);
        out += ',';
        // SQLite repeats what it found in the file, whatever bytes those are.
        text::append_member(out, "what", text::as_utf8(what));
        out += '}';
    };
    for (const auto& finding : outcome.database.findings) {
        add(finding.table, finding.row, finding.what);
    }
    if (!outcome.ranks) return;
    for (const auto& finding : outcome.ranks->findings) add("ranks", "", finding);
}

std::string as_json(const Outcome& outcome) {
    const sqlite::CheckReport& report = outcome.database;
    std::string out = "{";
    const auto number = [&](std::string_view key, std::uint64_t value) {
        text::append_key(out, key);
        text::append_number(out, value);
        out += ',';
    };
    out += outcome.whole() ? "\"whole\":true," : "\"whole\":false,";
    text::append_member(out, "database_id", text::as_utf8(report.facts.database_id));
    out += ',';
    text::append_member(out, "epoch", text::as_utf8(report.facts.epoch));
    out += ',';
    number("seq", report.facts.seq.value);
    number("first_seq", report.first_seq.value);
    number("fold_mark", report.fold_mark.value);
    number("boards", report.facts.boards);
    number("players", report.facts.players);
    number("entries", report.entries);
    number("entries_compared", report.folded);
    number("events", report.events);
    if (outcome.ranks) {
        out += outcome.ranks->complete() ? "\"complete\":true," : "\"complete\":false,";
        number("boards_compared", outcome.ranks->boards);
        number("rows_compared", outcome.ranks->rows);
        number("boards_moving", outcome.ranks->moving.size());
        number("boards_hidden", outcome.ranks->hidden.size());
    }
    number("damages", report.damages + (outcome.ranks ? outcome.ranks->damages : 0));
    out += "\"notes\":[";
    bool first = true;
    for (const std::string& note : notes_of(outcome)) {
        if (!std::exchange(first, false)) out += ',';
        text::append_json_string(out, text::as_utf8(note));
    }
    out += "],\"findings\":[";
    append_findings(out, outcome);
    return out + "]}";
}

// The report where even the first look found damage.
std::string too_damaged_to_read(const base::Error& error) {
    std::string out =
        "{\"whole\":false,\"damages\":1,\"findings\":[{\"table\":\"database\",\"row\":\"\",";
    text::append_member(out, "what", text::as_utf8(error.detail));
    return out + "}]}";
}

void print_for_person(const Outcome& outcome, const std::string& data) {
    const sqlite::CheckReport& report = outcome.database;
    std::printf("%s%s%s\n", data.c_str(), outcome.owner.empty() ? "" : ", in use by ",
                outcome.owner.c_str());
    std::printf("  %s, %s, %s, events %llu to %llu of epoch %s\n",
                counted(report.facts.boards, "board", "boards").c_str(),
                counted(report.facts.players, "player", "players").c_str(),
                counted(report.entries, "entry", "entries").c_str(),
                static_cast<unsigned long long>(report.first_seq.value),
                static_cast<unsigned long long>(report.facts.seq.value),
                report.facts.epoch.c_str());
    std::printf("  %s compared with the fold of all their events\n",
                counted(report.folded, "entry", "entries").c_str());
    if (outcome.ranks) {
        std::printf("  %s on %s compared with those that the server gives\n",
                    counted(outcome.ranks->rows, "rank", "ranks").c_str(),
                    counted(outcome.ranks->boards, "board", "boards").c_str());
    }
    for (const auto& note : notes_of(outcome)) std::printf("  %s\n", note.c_str());
    if (outcome.whole()) {
        const bool compared = !outcome.ranks || outcome.ranks->complete();
        std::puts(compared ? "Nothing is damaged." : "Nothing is damaged in what was compared.");
        return;
    }
    if (!report.findings.empty()) std::puts(findings_text(report).c_str());
    if (outcome.ranks) {
        for (const auto& finding : outcome.ranks->findings) std::puts(finding.c_str());
        const std::uint64_t more = outcome.ranks->damages - outcome.ranks->findings.size();
        if (more > 0) std::printf("and %llu more\n", static_cast<unsigned long long>(more));
    }
    if (!report.whole()) {
        std::printf("Damaged%s\n", restore_advice(data).c_str());
        return;
    }
    std::puts(
        "The database is whole, and the server's ranks are not those that it holds: keep the "
        "server's log, restart the server, and check again");
}

int run(CheckSettings& settings) {
    const bool asks_for_output = settings.output->option->count() == 0;
    if (asks_for_output) settings.flags.also_use("client.output");
    const auto values = settings.flags.settle();
    if (!values) {
        cli::complain(values.error().detail);
        return exit_code(values.error().code);
    }
    settings.data = values->text("data");
    if (asks_for_output) settings.output->take(values->text("client.output"));
    auto client = cli::client_settings_of(*values);
    if (!client) {
        cli::complain(client.error().detail);
        return exit_code(client.error().code);
    }
    settings.client = *std::move(client);
    const StopRequest stop;
    StopRequest::set_last_words("\nstandings: interrupted. Not all was checked.\n");
    const auto outcome = check(settings);
    if (!outcome) {
        if (StopRequest::signal() != 0) return StopRequest::end();
        const bool damaged = outcome.error().code == ErrorCode::kIntegrity;
        if (damaged && settings.as_json) {
            std::puts(too_damaged_to_read(outcome.error()).c_str());
        } else {
            cli::complain(outcome.error().detail + (damaged ? restore_advice(settings.data) : ""));
        }
        return exit_code(outcome.error().code);
    }
    if (settings.as_json) {
        std::puts(as_json(*outcome).c_str());
    } else {
        print_for_person(*outcome, settings.data);
    }
    return outcome->whole() ? 0 : exit_code(ErrorCode::kIntegrity);
}

}  // namespace

std::string findings_text(const sqlite::CheckReport& report) {
    std::string text;
    for (const auto& finding : report.findings) {
        if (!text.empty()) text += '\n';
        text += finding.table;
        if (!finding.row.empty()) text += " (" + finding.row + ")";
        text += ": " + finding.what;
    }
    if (report.damages > report.findings.size()) {
        text += "\nand " + std::to_string(report.damages - report.findings.size()) + " more";
    }
    return text;
}

void add_check(cli::CommandLine& line) {
    auto settings = std::make_shared<CheckSettings>();
    CLI::App* command = line.app.add_subcommand(
        "check", "Read all of a database, also beside a running server, and say what is wrong");
    settings->flags.add_to(*command, {"data", "client.server", "client.key"});
    const CLI::Option* server =
        command->get_option("--server")
            ->description(
                "The server that runs on the folder: its ranks are compared with the database's");
    command->add_flag("--deep", settings->deep, "Let SQLite compare its indexes, too");
    settings->output = cli::add_report_output(*command, settings->as_json);
    command->callback([&line, settings, server] {
        settings->ask_server = server->count() > 0;
        line.chosen = [settings] { return run(*settings); };
    });
}

}  // namespace standings::server
