#include "cli/client_commands.h"

#include <memory>

#include "cli/boards.h"
#include "cli/client_settings.h"
#include "cli/export.h"
#include "cli/health.h"
#include "cli/listing.h"
#include "cli/number_range.h"
#include "cli/scores.h"
#include "cli/usage.h"

namespace standings::cli {
namespace {

// A command under `parent` that does `run` with its options when it is chosen. The options live as
// long as the callback, and so as the parser.
template <class Options>
struct Command {
    CLI::App& app;
    Options& options;
};
template <class Options>
Command<Options> add_command(CommandLine& line, CLI::App& parent, const char* name,
                             const char* help, int (*run)(const Options&)) {
    auto options = std::make_shared<Options>();
    CLI::App* command = parent.add_subcommand(name, help);
    command->callback(
        [&line, options, run] { line.chosen = [options, run] { return run(*options); }; });
    return {*command, *options};
}

template <class Options>
void add_common(CLI::App& command, Options& options) {
    const auto take = [&options](const std::string& word) { options.format = format_named(word); };
    CLI::Option* output =
        command
            .add_option_function<std::string>(
                "-o,--output", take, "How the output is written [default: table; STANDINGS_OUTPUT]")
            ->transform(one_of({"table", "json", "ndjson", "csv"}));
    add_client_settings(command, options.client, OutputChoice{output, take});
}

// Of what becomes a part of a path.
CLI::Validator some_id() {
    return CLI::Validator(
        [](const std::string& id) { return std::string(id.empty() ? "it is empty" : ""); }, "");
}

void add_board_argument(CLI::App& command, std::string& board) {
    command.add_option("BOARD", board, "Id of the board")->required()->check(some_id());
}

CLI::Option* add_watch(CLI::App& command, WatchOptions& watch) {
    CLI::Option* wanted = command.add_flag("--watch", watch.is_wanted,
                                           "Show it as it changes, until Ctrl-C; with -o ndjson "
                                           "each message of the live protocol as a line");
    command.add_option("--rate", watch.rate, "With --watch: so many changes a second at most")
        ->transform(one_of({"1", "2", "5", "10", "20"}))
        ->needs(wanted);
    return wanted;
}

void add_spec(CLI::App& command, BoardSpec& spec) {
    command.add_option("--title", spec.title, "Title for people");
    command.add_option("--rule", spec.rule, "How a submission changes an entry")
        ->transform(one_of({"best", "last", "sum", "first"}));
    command
        .add_option("--ties", spec.ties,
                    "Equal scores: shared (1,2,2,4) or earliest (who was first is ahead)")
        ->transform(one_of({"shared", "earliest"}));
    command
        .add_option("--column", spec.columns,
                    "NAME[:asc|desc][:DECIMALS]; again for each further column, in order of "
                    "importance")
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("COLUMN");
    command
        .add_option("--visibility", spec.visibility,
                    "Who may read it: everybody, or keys that may read what is private only")
        ->transform(one_of({"public", "private"}));
    command.add_flag_callback(
        "--public-meta", [&spec] { spec.public_meta = true; },
        "Show the meta of entries to everybody");
    command.add_flag_callback(
        "--no-public-meta", [&spec] { spec.public_meta = false; },
        "Show it to keys that may read what is private only");
    command
        .add_option("--limit", spec.limits,
                    "MIN..MAX of what is taken, either left out at will; COLUMN=MIN..MAX with "
                    "several columns; none takes the limits away")
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("LIMIT");
}

// `boards NAME BOARD`.
Command<BoardOptions> add_board_step(CommandLine& line, CLI::App& boards, const char* name,
                                     const char* help, int (*run)(const BoardOptions&)) {
    auto command = add_command<BoardOptions>(line, boards, name, help, run);
    add_board_argument(command.app, command.options.board);
    add_common(command.app, command.options);
    return command;
}

}  // namespace

void add_boards(CommandLine& line) {
    CLI::App* boards = line.app.add_subcommand("boards", "List, make and change boards");
    boards->require_subcommand(1);
    auto list = add_command<BoardOptions>(line, *boards, "ls", "List the boards", list_boards);
    add_common(list.app, list.options);

    auto create = add_board_step(line, *boards, "create", "Make a board", create_board);
    create.app.add_option(
        "SHORT", create.options.short_form,
        "Rule and columns in short: sum:points,goal_difference or best:time:asc:3");
    add_spec(create.app, create.options.spec);
    auto edit =
        add_board_step(line, *boards, "edit", "Change what is named of a board", edit_board);
    add_spec(edit.app, edit.options.spec);

    auto reset =
        add_board_step(line, *boards, "reset", "Forget all scores of a board", reset_board);
    reset.app.add_flag("-y,--yes", reset.options.yes, "Do not ask");
    add_board_step(line, *boards, "close", "Take no more scores on a board", close_board);
    add_board_step(line, *boards, "reopen", "Take scores again", reopen_board);
    auto remove =
        add_board_step(line, *boards, "rm", "Remove a board with its scores", remove_board);
    remove.app.add_flag("-y,--yes", remove.options.yes, "Do not ask");
}

void add_submit(CommandLine& line) {
    auto [app, options] =
        add_command<SubmitOptions>(line, line.app, "submit", "Report a score", submit_score);
    add_board_argument(app, options.board);
    app.add_option("PLAYER", options.player, "Id of the player")->required();
    app.add_option("SCORE", options.scores,
                   "The score; with several columns one for each in order, or COLUMN=SCORE")
        ->required();
    app.add_option("--name", options.name, "Name to show");
    app.add_option("--meta", options.meta, "JSON object to keep with the entry");
    app.add_option("--occurred-at", options.occurred_at, "When it happened, as RFC 3339");
    app.add_option("--idempotency-key", options.idempotency_key,
                   "Of this score: sent again with it, it never counts twice. Made when not given");
    add_common(app, options);
}

void add_top(CommandLine& line) {
    auto [app, options] =
        add_command<TopOptions>(line, line.app, "top", "Show the head of a ranking", show_top);
    add_board_argument(app, options.board);
    app.add_option("-n,--count", options.count, "How many rows")
        ->check(whole_number(1, 1'000'000))
        ->capture_default_str();
    CLI::Option* watch = add_watch(app, options.watch);
    app.add_option("--offset", options.offset, "How many to leave out before them")
        ->check(whole_number(0, UINT64_MAX))
        ->capture_default_str()
        ->excludes(watch);
    add_common(app, options);
}

void add_rank(CommandLine& line) {
    auto [app, options] =
        add_command<RankOptions>(line, line.app, "rank", "Show where a player stands", show_rank);
    add_board_argument(app, options.board);
    app.add_option("PLAYER", options.player, "Id of the player")->required()->check(some_id());
    app.add_option("--around", options.around, "With so many neighbours on each side")
        ->check(whole_number(0, UINT64_MAX));
    add_watch(app, options.watch);
    add_common(app, options);
}

void add_export(CommandLine& line) {
    auto [app, options] = add_command<ExportOptions>(
        line, line.app, "export", "Write out a whole board as it is at one moment", export_board);
    add_board_argument(app, options.board);
    app.add_option("FILE", options.file, "Where to; standard output when not given or -");
    app.add_option("--format,-o,--output", options.format,
                   "How rows are written; else as FILE ends, or csv")
        ->transform(one_of({"csv", "ndjson", "json"}));
    add_client_settings(app, options.client);
}

void add_health(CommandLine& line) {
    auto [app, options] = add_command<CommandOptions>(
        line, line.app, "health", "Ask a server how it is; exits 1 when it is not ready",
        show_health);
    add_common(app, options);
}

}  // namespace standings::cli
