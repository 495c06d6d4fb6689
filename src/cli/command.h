// What the commands that talk to a server have in common.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/client_settings.h"
#include "cli/http_client.h"
#include "cli/listing.h"
#include "text/json_document.h"

namespace standings::cli {

// How any of them is called.
struct CommandOptions {
    ClientSettings client;
    Format format = Format::kTable;
};

// Says what went wrong, if anything did, and gives the exit code: 2 for settings and arguments,
// whether we find them wrong or the server does, 1 for the rest.
int exit_after(const base::Result<void>& result);

// An answer that is not 2xx is an error, too.
base::Result<HttpAnswer> ask(HttpClient& client, const HttpRequest& request);

// The same for what may be asked again, a GET or a POST with an Idempotency-Key: up to three times
// more when no answer comes, and while the server is busy or starting. A server that is down costs
// about two seconds; one that is silent four times what the request allows, and standard error says
// after the first that it is waited for. Then the error ends with `advice`.
base::Result<HttpAnswer> ask_until_answered(HttpClient& client, const HttpRequest& request,
                                            std::string_view advice = {});
// A header.
std::pair<std::string, std::string> idempotency_key(const std::string& key);
// Of 128 random bits.
std::string new_idempotency_key();

// The JSON of an answer. Owner and thread: one.
class JsonAnswer {
  public:
    // Fails when the text is not a JSON object, which no Standings server sends.
    static base::Result<std::unique_ptr<JsonAnswer>> of(std::string body);

    const text::JsonDocument& document() const { return document_; }
    const text::JsonNode& root() const { return *root_; }
    const std::string& body() const { return body_; }
    // The text of a string or number; empty where there is none.
    std::string text(std::string_view key) const;

  private:
    std::string body_;
    text::JsonDocument document_;
    const text::JsonNode* root_ = nullptr;
};

base::Result<std::unique_ptr<JsonAnswer>> ask_json(HttpClient& client, const HttpRequest& request);

// The path of a board, and of what is below it.
std::string board_path(std::string_view board, std::string_view below = "");

// The names of the columns of a board resource, in order.
std::vector<std::string> column_names_of(const JsonAnswer& board);

}  // namespace standings::cli
