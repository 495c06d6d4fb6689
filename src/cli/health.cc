#include "cli/health.h"

#include <chrono>
#include <memory>

#include "cli/command_line.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Result;

constexpr std::chrono::seconds kWithin(5);

// Whether it is ready.
Result<bool> health(const CommandOptions& options) {
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    const auto alive = client->send({.target = "/healthz", .within = kWithin});
    if (!alive) return alive.error();
    const auto ready = client->send({.target = "/readyz", .within = kWithin});
    if (!ready) return ready.error();
    const auto version = ask_json(*client, {.target = "/version", .within = kWithin});
    if (!version) return version.error();

    const bool is_ready = alive->is_ok() && ready->is_ok();
    std::string row = "{";
    text::append_member(row, "server", client->server());
    row += ',';
    text::append_member(row, "version", (*version)->text("version"));
    row += alive->is_ok() ? ",\"healthy\":true" : ",\"healthy\":false";
    row += is_ready ? ",\"ready\":true" : ",\"ready\":false";
    if (!is_ready) {
        row += ',';
        const std::string message = problem_of(alive->is_ok() ? *ready : *alive).message;
        text::append_member(row, "detail", message.substr(0, message.find('\n')));
    }
    row += '}';
    Listing listing({{"server", "server"},
                     {"version", "version"},
                     {"healthy", "healthy"},
                     {"ready", "ready"},
                     {"detail", "detail"}});
    listing.add(row);
    const auto printed = listing.print(options.format, row);
    if (!printed) return printed.error();
    return is_ready;
}

}  // namespace

int show_health(const CommandOptions& options) {
    const auto ready = health(options);
    if (!ready) return exit_after(ready.error());
    return *ready ? kDone : kFailed;
}

}  // namespace standings::cli
