#include "cli/import/import_run.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/http_client.h"
#include "cli/import/board_sum.h"
#include "cli/import/import_key.h"
#include "cli/import/input.h"
#include "cli/import/redis_input.h"
#include "cli/import/refusals.h"
#include "cli/import/rejects.h"
#include "cli/import/summary.h"
#include "cli/import/target_board.h"
#include "cli/import/upload.h"
#include "cli/progress_line.h"
#include "cli/stop_request.h"
#include "text/clean_text.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// Of which a column that means nothing stops the import before it begins.
constexpr int kPreviewRows = 100;
constexpr std::size_t kShownRows = 5;

bool is_spooled(const ImportSettings& settings) {
    return settings.file.empty() || settings.file == "-";
}

// What was renamed in the folder of this file stays so. False when the disk refuses, with errno; a
// folder that cannot be opened or synced at all is passed over.
bool sync_folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    const Descriptor opened(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.number() < 0 || ::fsync(opened.number()) == 0 || errno == EINVAL ||
           errno == ENOTSUP;
}

// Said where the file of rejects cannot be written.
std::string kept_where(Refusals& refusals, const Rejects& rejects) {
    if (!rejects.is_file()) {
        return "The server refused " + grouped(refusals.count()) +
               " rows that no file names, and it does not repeat which";
    }
    // Of this run and those that it goes on with; else what a complete one has left.
    std::string file = rejects.path();
    for (const std::string& kept : {aside_of(rejects.path(), refusals.import()), refusals.path()}) {
        if (::access(kept.c_str(), F_OK) == 0) file = kept;
    }
    return "What the server refused is kept in " + file + ", and the same command names the rows";
}

// One run of the command, step by step; the main thread's.
class ImportRun {
  public:
    ImportRun(const ImportSettings& settings, HttpClient client)
        : settings_(settings), client_(std::move(client)) {}

    Result<ImportSummary> run();

  private:
    // Whether what is kept of the refusals stays, for another run, or the one file has it all.
    enum class Kept { kStays, kGoes };

    Result<void> find_board();
    Result<void> open_input();
    Result<void> preview();
    Result<base::Hash128> hash_content();
    Result<void> make_key(base::Hash128 content);
    Result<void> expect_no_mended_file() const;
    Result<ImportSummary> dry_run();
    Result<ImportSummary> send(Rejects& rejects);
    Result<void> read_names(Refusals& refusals, const Rejects& rejects, Kept kept) const;
    Result<void> list_all(Refusals& refusals, Rejects& rejects);
    Result<void> name_all(Refusals& refusals, Rejects& rejects, Kept kept);
    void name_so_far(Refusals& refusals, Rejects& rejects);
    Result<void> finish(Refusals& refusals, Rejects& rejects);
    Result<void> place(Rejects& rejects);
    Result<void> forget(Refusals& refusals, const Rejects& rejects);
    std::string words_of(const std::string& said) const { return last_words_ + said + ".\n"; }
    Result<void> find_format();
    Result<void> compare(ImportSummary& summary);
    std::string rejects_path() const;
    ImportSummary new_summary() const;

    const ImportSettings& settings_;
    HttpClient client_;
    Progress progress_;
    std::optional<ranking::Rules> rules_;
    bool board_exists_ = false;
    std::string life_;  // of the board
    std::optional<FieldMap> map_;
    std::optional<Input> input_;
    FileFormat format_ = FileFormat::kNdjson;
    std::uint64_t members_ = 0;
    std::uint64_t rounded_ = 0;
    std::string key_;
    std::string again_;       // what tells this import from others of the same content
    std::string last_words_;  // where a signal ends it
    BoardSum sent_;           // of what the server took; for a sorted set
};

Result<ImportSummary> ImportRun::run() {
    if (const auto spare = spare_files(rejects_path(), settings_.file); !spare) {
        return spare.error();
    }
    if (const auto found = find_board(); !found) return found.error();
    if (const auto opened = open_input(); !opened) return opened.error();
    if (const auto looked = preview(); !looked) return looked.error();
    if (settings_.dry_run) return dry_run();
    const auto content = hash_content();
    if (!content) return content.error();
    Rejects rejects(rejects_path());
    StopRequest::set_litter({rejects.unfinished()});
    if (const auto opened = rejects.open(); !opened) return opened.error();
    if (!board_exists_ && settings_.again_as) {
        return Error{ErrorCode::kBoardNotFound,
                     "--again-as goes on with an import, and there is no board " + settings_.board +
                         " on " + client_.server()};
    }
    if (!board_exists_) {
        const auto created = create_board(client_, settings_.board, *rules_);
        if (!created) return created.error();
        life_ = created->life;
        progress_.say("made the board " + settings_.board + " (" + short_form_of(*rules_) + ")");
    }
    if (const auto made = make_key(*content); !made) return made.error();
    if (const auto other = expect_no_mended_file(); !other) return other.error();
    rejects.belong_to(key_);
    return send(rejects);
}

Result<void> ImportRun::find_board() {
    std::optional<ranking::Rules> wanted;
    if (!settings_.create.empty()) {
        auto spec = parse_rules(settings_.create);
        if (!spec) return spec.error();
        wanted = *std::move(spec);
    }
    auto found = fetch_board(client_, settings_.board);
    if (!found) return found.error();
    board_exists_ = found->has_value();
    rules_ = board_exists_ ? (*found)->rules : wanted;
    if (board_exists_) life_ = (*found)->life;
    if (!rules_) {
        return Error{
            ErrorCode::kBoardNotFound,
            "there is no board " + settings_.board + " on " + client_.server() +
                ". Make it with --create RULE:COLUMN,... (sum:points), or look at --board" +
                (client_.key_from().empty() ? "; a private one is seen with a key only" : "")};
    }
    const bool other =
        wanted && (wanted->rule != rules_->rule || wanted->columns != rules_->columns);
    if (other) {
        return Error{ErrorCode::kSettings,
                     "the board " + settings_.board + " exists as " + short_form_of(*rules_) +
                         ", not as --create says. Leave --create away, or name another board"};
    }
    return {};
}

Result<void> ImportRun::open_input() {
    std::vector<Renaming> renamings;
    for (const std::string& text : settings_.map) {
        auto some = parse_renamings(text);
        if (!some) return some.error();
        renamings.insert(renamings.end(), some->begin(), some->end());
    }
    auto map = FieldMap::make(std::move(renamings), rules_->columns);
    if (!map) return map.error();
    map_ = *std::move(map);

    if (!settings_.from.empty()) {
        const auto address = parse_redis_address(settings_.from);
        if (!address) return address.error();
        std::optional<std::uint8_t> decimals;
        if (settings_.decimals) decimals = static_cast<std::uint8_t>(*settings_.decimals);
        auto redis = read_redis(*address, *rules_, decimals, progress_);
        if (!redis) return redis.error();
        members_ = redis->members;
        rounded_ = redis->rounded;
        if (rounded_ > 0) {
            progress_.say(grouped(rounded_) + " of " + grouped(members_) +
                          " scores were rounded to " + std::to_string(*decimals) + " decimals");
        }
        input_ = std::move(redis->input);
        return {};
    }
    auto input = Input::open(settings_.file);
    if (!input) return input.error();
    input_ = *std::move(input);
    return find_format();
}

Result<void> ImportRun::find_format() {
    if (settings_.format.empty()) {
        const auto format = input_->find_format();
        if (!format) return format.error();
        format_ = *format;
    } else {
        format_ = settings_.format == "csv"   ? FileFormat::kCsv
                  : settings_.format == "tsv" ? FileFormat::kTsv
                                              : FileFormat::kNdjson;
    }
    const std::string& separator = settings_.separator;
    if (separator.empty()) return {};
    if (format_ == FileFormat::kNdjson) {
        return Error{ErrorCode::kSettings,
                     input_->name() + " is NDJSON, which has no separator: leave --separator away"};
    }
    format_ = separator == "tab" ? FileFormat::kTsv
              : separator == ";" ? FileFormat::kSemicolons
              : separator == "|" ? FileFormat::kBars
                                 : FileFormat::kCsv;
    return {};
}

// No object ends so: the line is the first of a document that was written over several.
bool goes_on_behind(std::string_view line) {
    const std::size_t last = line.find_last_not_of(" \t\r\n");
    return last != std::string_view::npos &&
           std::string_view("{[,").find(line[last]) != std::string_view::npos;
}

Result<void> ImportRun::preview() {
    auto stream = RowStream::open(*input_, format_, *map_);
    if (!stream) return stream.error();
    for (int i = 0; i < kPreviewRows; ++i) {
        const auto item = stream->next();
        if (!item) return item.error();
        if (!*item) break;
        if (i == 0 && format_ == FileFormat::kNdjson && goes_on_behind((*item)->source.text)) {
            return Error{ErrorCode::kSettings,
                         input_->name() +
                             " is one JSON document over several lines, and import reads one "
                             "object a line. `standings export --format ndjson` writes that (or "
                             "csv); of a JSON export it is made by: jq -c '.rows[]' FILE"};
        }
        if (!(*item)->row && (*item)->row.error().code == ErrorCode::kSettings) {
            return (*item)->row.error().with_context("line " +
                                                     std::to_string((*item)->source.line));
        }
    }
    return {};
}

Result<base::Hash128> ImportRun::hash_content() {
    return input_->hash([&](const ByteSource& source) {
        progress_.tick("hashed", {source.position(), source.size(), 0, 0});
        return StopRequest::signal() == 0;
    });
}

Result<void> ImportRun::make_key(base::Hash128 content) {
    const ImportIdentity identity{settings_.board, life_, content, format_, *map_};
    again_ = settings_.again ? new_again_word(identity) : settings_.again_as.value_or("");
    if (settings_.again_as && !is_again_word(again_, identity)) {
        return Error{ErrorCode::kSettings,
                     "--again-as '" + again_ +
                         "' is no word that --again has given for this import: the word, the file, "
                         "the board or how it is read (--map, --format, --separator) is another "
                         "one. Nothing was sent"};
    }
    if (settings_.again) {
        progress_.say("should it break off: --again-as " + again_ +
                      " instead of --again goes on with this import");
    }
    key_ = import_key(identity, again_);

    last_words_ = "\nstandings: interrupted. What was sent stays; the same command ";
    if (!again_.empty()) last_words_ += "with --again-as " + again_ + " instead of --again ";
    last_words_ += is_spooled(settings_) && settings_.from.empty()
                       ? "with the same input goes on where it stopped.\n"
                       : "goes on where it stopped.\n";
    StopRequest::set_last_words(last_words_);
    return {};
}

// Whoever corrects rejected rows in the file itself would have all the others count twice.
Result<void> ImportRun::expect_no_mended_file() const {
    const bool adds = board_exists_ && rules_->rule == ranking::Rule::kSum && again_.empty();
    // Only a name that comes from the file's says that it was the same file.
    const bool knows_file = !is_spooled(settings_) && settings_.rejects.empty();
    if (!adds || !knows_file || !has_other_content(key_, import_of(rejects_path()))) return {};
    return Error{ErrorCode::kSettings,
                 settings_.file + " has other content than when it was imported to " +
                     settings_.board + " before, as " + rejects_path() +
                     " tells. On a board that adds up, rows that were taken then would count "
                     "twice. Import the mended rows as a file of their own, under a new name. If "
                     "all rows are new, move " +
                     rejects_path() + " away"};
}

std::string ImportRun::rejects_path() const {
    if (!settings_.rejects.empty()) return settings_.rejects;
    return (is_spooled(settings_) ? settings_.board : settings_.file) + ".rejects.ndjson";
}

ImportSummary ImportRun::new_summary() const {
    ImportSummary summary;
    summary.board = settings_.board;
    summary.rejects_path = rejects_path();
    summary.from_redis = !settings_.from.empty();
    summary.rounded = rounded_;
    return summary;
}

Result<ImportSummary> ImportRun::dry_run() {
    ImportSummary summary = new_summary();
    summary.dry_run = true;
    auto stream = RowStream::open(*input_, format_, *map_);
    if (!stream) return stream.error();
    // What an import has left there is looked at by the next one.
    if (!import_of(summary.rejects_path).empty()) {
        const std::string other = beside(summary.rejects_path, "dry-run");
        if (const auto spare = spare_files(other, settings_.file); !spare) return spare.error();
        progress_.say(summary.rejects_path +
                      " has the rejects of an import and stays; those of this dry run go to " +
                      other);
        summary.rejects_path = other;
    }
    Rejects rejects(summary.rejects_path);
    StopRequest::set_litter({rejects.unfinished()});
    if (const auto opened = rejects.open(); !opened) return opened.error();
    const auto began = std::chrono::steady_clock::now();
    while (true) {
        const auto item = stream->next();
        if (!item) return item.error();
        if (!*item) break;
        if (StopRequest::signal() != 0) return Error{ErrorCode::kDraining, "interrupted"};
        progress_.tick("read", {stream->source().position(), stream->source().size(),
                                stream->counts().rows, stream->counts().rejected});
        if (!(*item)->row) {
            rejects.add((*item)->source.line, (*item)->row.error().detail, (*item)->source.text);
        } else if (summary.first_rows.size() < kShownRows) {
            std::string line;
            append_submission(line, **(*item)->row, rules_->columns);
            line.pop_back();
            summary.first_rows.push_back({(*item)->source.line, std::move(line)});
        }
    }
    if (const auto placed = place(rejects); !placed) return placed.error();
    summary.rows = stream->counts().rows;
    summary.rejected = stream->counts().rejected;
    summary.accepted = summary.rows - summary.rejected;
    summary.in_file = summary.rejected;
    summary.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return summary;
}

Result<ImportSummary> ImportRun::send(Rejects& rejects) {
    ImportSummary summary = new_summary();
    RowObserver observer;
    if (summary.from_redis) {
        observer.starting = [this] { sent_ = {}; };
        observer.accepted = [this](const ImportRow& row) { sent_.add(row.player, row.scores); };
    }
    const auto began = std::chrono::steady_clock::now();
    Refusals refusals(rejects.is_file() ? refused_of(rejects.path(), key_) : "", key_);
    if (const auto read = read_names(refusals, rejects, Kept::kGoes); !read) return read.error();
    const auto sent = upload(client_, {*input_, format_, *map_, settings_.board, key_}, rejects,
                             refusals, progress_, observer);
    if (!sent) {
        name_so_far(refusals, rejects);
        return sent.error();
    }
    summary.rows = sent->counts.rows;
    summary.accepted = sent->accepted;
    summary.rejected = sent->counts.rejected + sent->rejected;
    summary.already_there = sent->replayed;
    summary.seq = sent->seq;
    summary.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (const auto finished = finish(refusals, rejects); !finished) return finished.error();
    summary.in_file = rejects.count();
    if (summary.from_redis) {
        if (const auto compared = compare(summary); !compared) return compared.error();
    }
    return summary;
}

// What all runs of this import have heard; none of it is ever named twice. Where the file of the
// refusals stays, another run may still add to it. In the order in which names move: what has left
// one file meanwhile is in a later one.
Result<void> ImportRun::read_names(Refusals& refusals, const Rejects& rejects, Kept kept) const {
    if (!rejects.is_file()) return {};
    if (kept == Kept::kGoes) {
        if (const auto read = refusals.read(refusals.path()); !read) return read;
    }
    for (const std::string& file : {rejects.path(), aside_of(rejects.path(), key_)}) {
        if (const auto read = refusals.read(file); !read) return read;
    }
    return {};
}

// All that is rejected, here and by the server, in the order of the rows: in another pass, as the
// server names lines of the stream.
Result<void> ImportRun::list_all(Refusals& refusals, Rejects& rejects) {
    auto stream = RowStream::open(*input_, format_, *map_);
    if (!stream) return stream.error();
    rejects.start_over();
    progress_.restart();
    // After a first signal there are two seconds for this; the next one ends it at once.
    const int signal = StopRequest::signal();
    auto refusal = refusals.by_record().begin();
    const auto end = refusals.by_record().end();
    while (true) {
        const auto item = stream->next();
        if (!item) return item.error();
        if (!*item) break;
        if (StopRequest::signal() != signal) return Error{ErrorCode::kDraining, "interrupted"};
        progress_.tick("looked up", {stream->source().position(), stream->source().size(),
                                     stream->counts().rows, rejects.count()});
        const Record& source = (*item)->source;
        while (refusal != end && refusal->record < (*item)->record) ++refusal;
        if (!(*item)->row) {
            rejects.add(source.line, (*item)->row.error().detail, source.text);
        } else if (refusal != end && refusal->record == (*item)->record) {
            rejects.add(source.line, *refusal->reason, source.text, refusal->record);
            if (!settings_.from.empty()) {
                sent_.take_away((**(*item)->row).player, (**(*item)->row).scores);
            }
        }
    }
    return {};
}

// The file is replaced only where it, and what is kept beside it, name nothing that the new one
// does not: another run of the same import may end while this one waits, or lists the rows.
Result<void> ImportRun::name_all(Refusals& refusals, Rejects& rejects, Kept kept) {
    const BoardSum sent = sent_;
    std::size_t listed = 0;  // of the refusals
    while (true) {
        if (refusals.count() > listed) {
            StopRequest::set_last_words(words_of(kept_where(refusals, rejects)));
            listed = refusals.count();
            sent_ = sent;
            if (const auto done = list_all(refusals, rejects); !done) return done;
        }
        rejects.settle();  // a slow disk does not come between the last look and the renaming
        if (const auto read = read_names(refusals, rejects, kept); !read) return read;
        if (refusals.count() > listed) continue;
        if (const auto placed = place(rejects); !placed || listed == 0) return placed;
        return kept == Kept::kGoes ? forget(refusals, rejects) : Result<void>();
    }
}

Result<void> ImportRun::place(Rejects& rejects) {
    if (const auto finished = rejects.finish(); !finished) return finished.error();
    if (!rejects.kept_aside().empty()) {
        progress_.say(rejects.path() +
                      " named what the server refused of another import: that is " +
                      rejects.kept_aside() + " now");
    }
    if (rejects.removed_earlier()) {
        progress_.say("no row was rejected; removed " + rejects.path() + ", of an earlier run");
    }
    return {};
}

Result<void> ImportRun::finish(Refusals& refusals, Rejects& rejects) {
    auto named = name_all(refusals, rejects, Kept::kGoes);
    if (named || refusals.count() == 0) return named;
    Error error = named.error();
    error.detail += ". " + kept_where(refusals, rejects);
    return error;
}

// The one file has it all now.
Result<void> ImportRun::forget(Refusals& refusals, const Rejects& rejects) {
    if (rejects.is_file() && !sync_folder_of(rejects.path())) {
        return Error{ErrorCode::kIo, "cannot make the rejects in " + rejects.path() +
                                         " durable: " + std::strerror(errno)};
    }
    StopRequest::set_last_words(
        words_of("The rows that the server refused are in " + rejects.path()));
    refusals.forget();
    if (rejects.is_file()) ::unlink(aside_of(rejects.path(), key_).c_str());
    return {};
}

// Of a run that fails or is stopped. The file of the refusals stays, for the run that goes on.
void ImportRun::name_so_far(Refusals& refusals, Rejects& rejects) {
    if (refusals.count() == 0) return;
    const auto named = name_all(refusals, rejects, Kept::kStays);
    const std::string said =
        named ? "The rows that the server refused so far are in " + rejects.path()
              : named.error().detail + ". " + kept_where(refusals, rejects);
    if (named) StopRequest::set_last_words(words_of(said));
    if (StopRequest::signal() == 0) progress_.say(said);
}

// Exactly what was sent is on the board.
Result<void> ImportRun::compare(ImportSummary& summary) {
    summary.checksum = sent_.checksum();
    if (const std::uint64_t unnamed = summary.unnamed(); unnamed > 0) {
        summary.mismatch = "the server rejected " + grouped(unnamed) +
                           " rows that it does not name any more, so the board cannot be compared";
        return {};
    }
    std::optional<ProgressLine> line("Compare");
    const auto there = sum_of_board(
        client_, settings_.board, rules_->columns,
        [&](std::uint64_t players) { line->show("", players, sent_.count(), "players"); });
    line.reset();
    if (!there) return there.error();
    if (*there == sent_) return {};
    summary.mismatch = "the board differs from the sorted set: it has " + grouped(there->count()) +
                       " players with checksum " + there->checksum() + ", the import " +
                       grouped(sent_.count()) + " with " + sent_.checksum() +
                       ". Somebody else writes to the board, or it had other scores before";
    return {};
}

Result<void> check_settings(const ImportSettings& settings) {
    if (settings.file.empty() == settings.from.empty()) {
        return Error{ErrorCode::kSettings,
                     "name either a file (- is standard input) or --from redis://..."};
    }
    if (!text::is_slug(settings.board)) {
        return Error{ErrorCode::kSettings,
                     "--board has 1 to 63 of a-z, 0-9, _ and -, not '" + settings.board + "'"};
    }
    if (settings.rejects == "-") {
        return Error{ErrorCode::kSettings,
                     "--rejects is a file; /dev/stdout is standard output, and /dev/stderr the "
                     "other one"};
    }
    const bool names_columns =
        !(settings.map.empty() && settings.format.empty() && settings.separator.empty());
    if (!settings.from.empty() && names_columns) {
        return Error{ErrorCode::kSettings,
                     "--from has no columns: leave --map, --format and --separator away"};
    }
    if (settings.from.empty() && settings.decimals) {
        return Error{ErrorCode::kSettings,
                     "--decimals goes with --from; a file's scores are exact"};
    }
    return {};
}

}  // namespace

int run_import(const ImportSettings& settings) {
    if (const auto checked = check_settings(settings); !checked) return exit_after(checked.error());
    auto client = HttpClient::open(settings.client);
    if (!client) return exit_after(client.error());
    const StopRequest stop;
    StopRequest::set_last_words("\nstandings: interrupted before anything was sent.\n");
    const auto summary = ImportRun(settings, *std::move(client)).run();
    if (!summary && StopRequest::signal() != 0) return StopRequest::end();
    if (!summary) return exit_after(summary.error());
    print_summary(*summary, settings.as_json);
    if (!summary->mismatch.empty()) return kFailed;
    return summary->accepted == 0 && summary->rejected > 0 ? kFailed : kDone;
}

}  // namespace standings::cli
