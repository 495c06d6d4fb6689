// Requests to a server. The one place that knows libcurl.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/client_settings.h"

namespace standings::cli {

struct HttpRequest {
    std::string method = "GET";
    std::string target;  // "/v1/boards?limit=10"; what comes from a person goes through escaped()
    std::string body = {};
    std::string content_type = "application/json";  // of the body, where there is one
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::chrono::seconds within{60};  // of send(): from its call to the end of the answer
};

struct HttpAnswer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers = {};  // names in small letters
    std::string body = {};
    // Of whom and how it was asked, for sentences about a refusal.
    std::string server = {};
    std::string method = {};
    std::string target = {};
    std::string key_from = {};  // where the key came from that was sent; empty: none was

    bool is_ok() const { return status >= 200 && status < 300; }
    // Empty: there is none. `name` in small letters.
    std::string_view header(std::string_view name) const;
};

// A problem+json answer (or any other that is not 2xx), taken apart.
struct Problem {
    int status = 0;
    std::string code;     // "board_exists"; empty where the answer was not a problem of ours
    std::string message;  // for a person: title, detail, each error with its pointer, request id
};
Problem problem_of(const HttpAnswer& answer);
// The same as an Error, for those who only pass it on.
base::Error error_of(const HttpAnswer& answer);

// Fills the start of the span with the next bytes of a body and says how many; 0: there are no
// more; none: give up, which fails the request. May block; that time is nobody's stall.
using NextBytes = std::function<std::optional<std::size_t>(std::span<char>)>;
// Takes the next bytes of a 2xx answer's body; false: give up, which fails the request.
using TakeBytes = std::function<bool(std::string_view)>;
// How long to wait for bytes at most, and a file (-1: none) that ends it early when it can be read.
struct Wait {
    std::chrono::milliseconds most;
    int file = -1;
};
// What the caller does between two waits; none: give up, which fails the request.
using Turn = std::function<std::optional<Wait>()>;

// One server, asked over connections that are kept between calls. Owner and thread: one; each
// thread that talks has its own.
//
// An answer of any status is a value; a failure means that none came, and whether the request
// arrived is then unknown: kIo, with a sentence that names the server. Neither holds the key.
class HttpClient {
  public:
    // Fails with kSettings when the address or the key cannot be one. Connects to nothing.
    static base::Result<HttpClient> open(const ClientSettings& settings);

    // A whole answer in memory, within the time that the request says.
    base::Result<HttpAnswer> send(const HttpRequest& request);
    // Sends what `next` gives as the body, of any length. Fails when for a minute neither side
    // takes or gives a byte, and within about a second of a StopRequest. With `take`, a 2xx body is
    // handed over as it arrives, also before the request is complete, and is not in the answer. A
    // server that refuses answers before the end: the rest is then not asked for.
    base::Result<HttpAnswer> upload(const HttpRequest& request, const NextBytes& next,
                                    const TakeBytes& take = {});
    // Hands over a 2xx body of any length as it arrives; other bodies are in the answer. Stops as
    // upload() does.
    base::Result<HttpAnswer> download(const HttpRequest& request, const TakeBytes& take);
    // The same for a body that may have no end: it waits as `turn` says, for the connection as
    // well. Fails when nothing comes for kLongestSilence.
    base::Result<HttpAnswer> follow(const HttpRequest& request, const TakeBytes& take,
                                    const Turn& turn);
    static constexpr std::chrono::seconds kLongestSilence{40};

    // "http://127.0.0.1:8420", without a slash at the end.
    const std::string& server() const;
    // Where the key comes from that it sends; empty: it sends none.
    const std::string& key_from() const;

    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;
    ~HttpClient();

  private:
    struct State;
    explicit HttpClient(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

// `text` as one step of a path or one value of a query.
std::string escaped(std::string_view text);

}  // namespace standings::cli
