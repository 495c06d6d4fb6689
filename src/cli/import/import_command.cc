#include "cli/import/import_command.h"

#include <memory>

#include "cli/client_settings.h"
#include "cli/import/import_run.h"
#include "cli/number_range.h"
#include "cli/usage.h"

namespace standings::cli {

void add_import(CommandLine& line) {
    auto settings = std::make_shared<ImportSettings>();
    CLI::App* command = line.app.add_subcommand(
        "import", "Fill a board from NDJSON, CSV, TSV (also .gz), or from a Redis sorted set");
    add_client_settings(*command, settings->client, add_report_output(*command, settings->as_json));
    command->add_option("FILE", settings->file, "What to import; - is standard input");
    command->add_option("--board", settings->board, "The board to fill")->required();
    command
        ->add_option("--map", settings->map,
                     "What columns mean: user=player,pts=score; notes= ignores one")
        ->type_name("FROM=TO,...")
        ->allow_extra_args(false);
    command
        ->add_option("--create", settings->create,
                     "Make the board if it is missing: sum:points,goals or best:time:asc:2")
        ->type_name("SPEC");
    command
        ->add_option("--format", settings->format,
                     "ndjson, csv or tsv, where the name says nothing")
        ->transform(one_of({"ndjson", "csv", "tsv"}));
    command
        ->add_option("--separator", settings->separator,
                     "What stands between the fields of CSV: ; or | or tab [default: ,]")
        ->check(CLI::Validator(
            [](const std::string& text) {
                const bool known = text == "," || text == ";" || text == "|" || text == "tab";
                return known ? std::string() : "it is , or ; or | or tab, not '" + text + "'";
            },
            ""))
        ->type_name("SEPARATOR");
    command
        ->add_option("--rejects", settings->rejects,
                     "File for rows that cannot be imported (FILE.rejects.ndjson)")
        ->type_name("FILE");
    command->add_flag("--dry-run", settings->dry_run,
                      "Show the first rows as understood, count all rejects, send nothing");
    CLI::Option* again = command->add_flag("--again", settings->again,
                                           "Import a file once more that was imported before");
    command
        ->add_option("--again-as", settings->again_as,
                     "Go on with an import that --again began; it says the word")
        ->type_name("WORD")
        ->excludes(again);
    command
        ->add_option("--from", settings->from,
                     "A sorted set: redis://[:password@]host[:port][/database]/key")
        ->type_name("URL");
    command->add_option("--decimals", settings->decimals, "Round the scores of --from to so many")
        ->check(whole_number(0, 6));
    command->callback(
        [&line, settings] { line.chosen = [settings] { return run_import(*settings); }; });
}

}  // namespace standings::cli
