#include "cli/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "cli/stop_request.h"
#include "text/json_document.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Clock = std::chrono::steady_clock;

constexpr long kConnectSeconds = 5;
constexpr auto kStall = std::chrono::seconds(60);
// What a server may put into memory with an answer that is not streamed.
constexpr std::size_t kMaxAnswer = 64u << 20;

struct HandleCloser {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
// To libcurl's headers a CURLM is the same as a CURL.
struct MultiCloser {
    void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleCloser>;
using Url = std::unique_ptr<CURLU, HandleCloser>;
using Multi = std::unique_ptr<CURLM, MultiCloser>;
using HeaderList = std::unique_ptr<curl_slist, HandleCloser>;

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

// One part of a URL; empty where it has none.
std::string part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
}

Error wrong_server(const std::string& server, std::string_view why) {
    return {ErrorCode::kSettings,
            "--server is an address like http://127.0.0.1:8420 or https://scores.example.org, "
            "not '" +
                server + "'" + std::string(why)};
}

// What the callbacks of one request share.
struct Transfer {
    HttpAnswer answer;
    const NextBytes* next = nullptr;
    const TakeBytes* take = nullptr;
    Clock::time_point moved = Clock::now();  // when bytes last went either way
    curl_off_t sent = 0;
    curl_off_t received = 0;
    bool gave_up = false;  // `next`, `take` or `turn` did, or a signal came
    bool stalled = false;
    bool silent = false;
    bool too_large = false;
};

std::size_t take_header(char* bytes, std::size_t, std::size_t size, void* context) {
    auto& transfer = *static_cast<Transfer*>(context);
    std::string_view line(bytes, size);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {
        // The last head counts: an interim one (1xx) may come before it.
        transfer.answer = {};
        const std::size_t space = line.find(' ');
        if (space != std::string_view::npos)
            transfer.answer.status = std::atoi(std::string(line.substr(space + 1, 3)).c_str());
        return size;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    transfer.answer.headers.emplace_back(std::move(name), value);
    return size;
}

std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* context) {
    auto& transfer = *static_cast<Transfer*>(context);
    if (transfer.take != nullptr && transfer.answer.is_ok()) {
        transfer.gave_up = !(*transfer.take)({bytes, size});
        transfer.moved = Clock::now();
        return transfer.gave_up ? CURL_WRITEFUNC_ERROR : size;
    }
    transfer.too_large = transfer.answer.body.size() + size > kMaxAnswer;
    if (transfer.too_large) return CURL_WRITEFUNC_ERROR;
    transfer.answer.body.append(bytes, size);
    return size;
}

std::size_t give_body(char* bytes, std::size_t, std::size_t size, void* context) {
    auto& transfer = *static_cast<Transfer*>(context);
    const auto count = (*transfer.next)({bytes, size});
    transfer.moved = Clock::now();
    if (count) return *count;
    transfer.gave_up = true;
    return CURL_READFUNC_ABORT;
}

// Called about once a second, whatever happens: where no byte moves, nobody else looks for a
// signal.
int watch(void* context, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
    auto& transfer = *static_cast<Transfer*>(context);
    const auto now = Clock::now();
    if (received != transfer.received || sent != transfer.sent) {
        transfer.received = received;
        transfer.sent = sent;
        transfer.moved = now;
    }
    transfer.stalled = now - transfer.moved > kStall;
    transfer.gave_up = transfer.gave_up || StopRequest::signal() != 0;
    return transfer.stalled || transfer.gave_up ? 1 : 0;
}

// As curl_easy_perform(), with a turn of the caller's after each wait.
CURLcode perform_in_turns(CURL* curl, Transfer& transfer, const Turn& turn) {
    const Multi multi(curl_multi_init());
    if (!multi || curl_multi_add_handle(multi.get(), curl) != CURLM_OK) return CURLE_FAILED_INIT;
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    while (true) {
        int running = 0;
        if (curl_multi_perform(multi.get(), &running) != CURLM_OK) {
            code = CURLE_FAILED_INIT;
            break;
        }
        if (running == 0) {
            int left = 0;
            const CURLMsg* message = curl_multi_info_read(multi.get(), &left);
            if (message != nullptr) code = message->data.result;
            break;
        }
        // Before the turn: while it lasts, nobody reads what comes.
        transfer.silent = Clock::now() - transfer.moved > HttpClient::kLongestSilence;
        if (transfer.silent) break;
        const auto wait = turn();
        transfer.gave_up = !wait;
        if (transfer.gave_up) break;
        curl_waitfd also{.fd = wait->file, .events = CURL_WAIT_POLLIN, .revents = 0};
        curl_multi_poll(multi.get(), &also, wait->file < 0 ? 0 : 1,
                        static_cast<int>(wait->most.count()), nullptr);
    }
    curl_multi_remove_handle(multi.get(), curl);
    return code;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

struct HttpClient::State {
    std::string server;
    std::string authorization;  // the whole header; empty: none
    std::string key_from;       // empty as well then
    bool without_proxy = false;
    Handle handle;

    Result<HttpAnswer> perform(const HttpRequest& request, const NextBytes* next,
                               const TakeBytes* take, const Turn* turn = nullptr);
    Error failure(CURLcode code, const Transfer& transfer, const char* text) const;
};

std::string_view HttpAnswer::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

Result<HttpClient> HttpClient::open(const ClientSettings& settings) {
    static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
    auto state = std::make_unique<State>();
    state->handle.reset(kStarted == CURLE_OK ? curl_easy_init() : nullptr);
    const Url url(curl_url());
    if (!state->handle || !url) return Error{ErrorCode::kIo, "libcurl does not start"};

    std::string given = settings.server;
    if (given.find("://") == std::string::npos) given = "http://" + given;
    if (has_control(given) || curl_url_set(url.get(), CURLUPART_URL, given.c_str(), 0) != CURLUE_OK)
        return wrong_server(settings.server, "");
    const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
        return wrong_server(settings.server, ": http and https are spoken");
    if (!part_of(url.get(), CURLUPART_USER).empty())
        return wrong_server("...", ": a credential goes into --key or STANDINGS_KEY");
    if (!part_of(url.get(), CURLUPART_QUERY).empty() ||
        !part_of(url.get(), CURLUPART_FRAGMENT).empty())
        return wrong_server(settings.server, ": nothing follows the path");
    state->without_proxy = is_loopback(part_of(url.get(), CURLUPART_HOST));
    state->server = part_of(url.get(), CURLUPART_URL);
    while (state->server.ends_with('/')) state->server.pop_back();

    if (has_control(settings.key) || settings.key.find(' ') != std::string::npos) {
        return Error{ErrorCode::kSettings,
                     "the key holds a space or a control character: look at --key or "
                     "STANDINGS_KEY, it is one word like st_sk_..."};
    }
    if (!settings.key.empty()) {
        state->authorization = "Authorization: Bearer " + settings.key;
        state->key_from = settings.key_from.empty() ? "--key" : settings.key_from;
    }
    return HttpClient(std::move(state));
}

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

const std::string& HttpClient::server() const {
    return state_->server;
}

const std::string& HttpClient::key_from() const {
    return state_->key_from;
}

Result<HttpAnswer> HttpClient::send(const HttpRequest& request) {
    return state_->perform(request, nullptr, nullptr);
}

Result<HttpAnswer> HttpClient::upload(const HttpRequest& request, const NextBytes& next,
                                      const TakeBytes& take) {
    return state_->perform(request, &next, take ? &take : nullptr);
}

Result<HttpAnswer> HttpClient::download(const HttpRequest& request, const TakeBytes& take) {
    return state_->perform(request, nullptr, &take);
}

Result<HttpAnswer> HttpClient::follow(const HttpRequest& request, const TakeBytes& take,
                                      const Turn& turn) {
    return state_->perform(request, nullptr, &take, &turn);
}

Result<HttpAnswer> HttpClient::State::perform(const HttpRequest& request, const NextBytes* next,
                                              const TakeBytes* take, const Turn* turn) {
    CURL* curl = handle.get();
    curl_easy_reset(curl);  // its connections and names stay
    Transfer transfer;
    transfer.next = next;
    transfer.take = take;
    const std::string url = server + request.target;
    char text[CURL_ERROR_SIZE] = "";

    HeaderList headers;
    const auto add = [&](const std::string& header) {
        // The list grows at its end; only its first node is new.
        headers.reset(curl_slist_append(headers.release(), header.c_str()));
    };
    add("Expect:");  // the body goes at once, without asking
    add("Accept: */*");
    if (!authorization.empty()) add(authorization);
    if (next != nullptr || !request.body.empty()) add("Content-Type: " + request.content_type);
    if (next == nullptr && request.body.empty() && request.method == "POST")
        add("Content-Type:");  // curl would name a form
    for (const auto& [name, value] : request.headers) add(name + ": " + value);

    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "standings/" STANDINGS_VERSION);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    // A name nobody resolves is not waited for once the request is given up.
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    if (without_proxy) curl_easy_setopt(curl, CURLOPT_PROXY, "");
    // As the tool `curl` has it; a company's own authority is named so.
    if (const char* authorities = std::getenv("SSL_CERT_FILE"))
        curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);

    if (next == nullptr && take == nullptr) {
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(request.within.count()));
    } else {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
    }
    if (next != nullptr) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);  // chunked: the length is not known
        // Where one that was used before turns out dead, curl begins anew by itself, and what
        // `next` has given cannot be given again; from then on a handle of curl 8.7 to 8.15 fails
        // for good (its issue 18206).
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
        curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
    } else if (!request.body.empty() || request.method == "POST") {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
    }
    if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());

    const CURLcode code =
        turn != nullptr ? perform_in_turns(curl, transfer, *turn) : curl_easy_perform(curl);
    // The handle keeps pointers to what ends with this call.
    Error error = code == CURLE_OK ? Error{ErrorCode::kIo, ""} : failure(code, transfer, text);
    curl_easy_reset(curl);
    // A server that refuses may answer and close while we still send: the answer is what counts.
    const bool refused = code == CURLE_SEND_ERROR && transfer.answer.status >= 400;
    if (code != CURLE_OK && !refused) return error;
    transfer.answer.server = server;
    transfer.answer.method = request.method;
    transfer.answer.target = request.target;
    transfer.answer.key_from = key_from;
    return std::move(transfer.answer);
}

Error HttpClient::State::failure(CURLcode code, const Transfer& transfer, const char* text) const {
    if (transfer.gave_up) return {ErrorCode::kIo, "given up"};
    if (transfer.stalled)
        return {ErrorCode::kIo, server + " neither took nor sent a byte for a minute; try again"};
    if (transfer.silent)
        return {ErrorCode::kIo,
                server + " sent nothing for " + std::to_string(kLongestSilence.count()) + " s"};
    if (transfer.too_large)
        return {ErrorCode::kIo, server + " sent more than 64 MiB; is it a Standings server?"};
    long number = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_OS_ERRNO, &number);
    std::string why = text[0] != '\0' ? text : curl_easy_strerror(code);
    switch (code) {
        case CURLE_COULDNT_CONNECT: {
            // Some versions of curl lose the number of a refused connection.
            std::string reason = number != 0 ? std::strerror(static_cast<int>(number))
                                             : std::string("connection refused");
            if (!reason.empty() && reason[0] >= 'A' && reason[0] <= 'Z')
                reason[0] = static_cast<char>(reason[0] - 'A' + 'a');
            return {ErrorCode::kIo, "cannot reach " + server + ": " + reason +
                                        "; is the server running? Start it with `standings "
                                        "serve`, or name another one with --server"};
        }
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return {ErrorCode::kIo, "cannot reach " + server +
                                        ": no such host; look at --server or STANDINGS_SERVER"};
        case CURLE_OPERATION_TIMEDOUT:
            return {ErrorCode::kIo, server + " did not answer in time (" + why + ")"};
        case CURLE_SSL_CONNECT_ERROR:
            return {ErrorCode::kIo,
                    "cannot speak https with " + server + ": " + why +
                        "; if it is not encrypted, its address begins with http://"};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
            return {ErrorCode::kIo, "cannot trust " + server + ": " + why +
                                        "; SSL_CERT_FILE names the file of its authority"};
        default:
            return {ErrorCode::kIo, "no answer from " + server + ": " + why};
    }
}

namespace {

// What the server says to whoever sends a key where everybody may do everything.
bool takes_no_key(std::string_view said) {
    return said.find("There are no keys here") != std::string_view::npos;
}

// What escaped() has made, as it was.
std::string unescaped(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%' || i + 2 >= text.size()) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
    }
    return out;
}

// "cup" of "/v1/boards/cup/standings?limit=1"; empty where the path is of no board.
std::string board_in(std::string_view target) {
    constexpr std::string_view kBoards = "/v1/boards/";
    if (!target.starts_with(kBoards)) return {};
    target.remove_prefix(kBoards.size());
    return unescaped(target.substr(0, target.find_first_of("/?")));
}

// The title and the detail, but where we know more than the server, which answers everybody.
std::string sentence_of(const HttpAnswer& answer, std::string_view code, const std::string& title,
                        const std::string& detail) {
    if (answer.status == 401 && !answer.key_from.empty()) {
        return takes_no_key(detail)
                   ? answer.server + " takes no key, and " + answer.key_from + " gives one"
                   : "the key from " + answer.key_from + " is wrong: " + answer.server +
                         " does not know it";
    }
    const std::string board = board_in(answer.target);
    if (code == "board_not_found" && !board.empty()) {
        return "there is no board '" + board + "' at " + answer.server;
    }
    return detail.empty() ? title : title + ": " + detail;
}

// What to do about a 401.
std::string advice_of(const HttpAnswer& answer) {
    if (answer.key_from.empty()) {
        return "give a key that this server knows, with STANDINGS_KEY or --key";
    }
    if (takes_no_key(answer.body)) {
        return answer.key_from.starts_with("STANDINGS_") ? "unset " + answer.key_from
                                                         : "leave the key out";
    }
    const std::string advice = "give a key that this server knows";
    return answer.method == "GET" ? advice + ", or none: public boards can be read without one"
                                  : advice;
}

}  // namespace

Problem problem_of(const HttpAnswer& answer) {
    Problem problem;
    problem.status = answer.status;
    text::JsonDocument document;
    const auto parsed = document.parse(answer.body);
    const std::string status = std::to_string(answer.status);
    if (!parsed || !(*parsed)->is_object() || document.member(**parsed, "title") == nullptr) {
        problem.message = "the server answered " + status;
        const std::string_view location = answer.header("location");
        if (!location.empty()) {
            problem.message += " and points to " + std::string(location) +
                               "; if that is the server, name it with --server";
        } else {
            problem.message += " without saying why; is this a Standings server?";
        }
        return problem;
    }
    const auto text_of = [&](const text::JsonNode& node, std::string_view key) {
        const text::JsonNode* member = document.member(node, key);
        return std::string(member != nullptr && member->is_string() ? member->text : "");
    };
    const text::JsonNode& root = **parsed;
    problem.code = text_of(root, "code");
    const std::string detail = text_of(root, "detail");
    problem.message = sentence_of(answer, problem.code, text_of(root, "title"), detail);
    if (const text::JsonNode* errors = document.member(root, "errors")) {
        document.for_each(*errors, [&](const text::JsonNode& item) {
            const std::string pointer = text_of(item, "pointer");
            const std::string item_detail = text_of(item, "detail");
            problem.message += "\n  at " + (pointer.empty() ? "the whole body" : pointer);
            // A single error says what the detail has said.
            if (item_detail != detail) problem.message += ": " + item_detail;
        });
    }
    const std::string request_id = text_of(root, "request_id");
    if (!request_id.empty()) problem.message += "\n  request " + request_id;
    return problem;
}

Error error_of(const HttpAnswer& answer) {
    ErrorCode code = ErrorCode::kIo;
    const Problem problem = problem_of(answer);
    switch (answer.status) {
        case 401:
            code = ErrorCode::kUnauthenticated;
            break;
        case 403:
            code = ErrorCode::kForbidden;
            break;
        case 404:
            code = ErrorCode::kRouteNotFound;
            break;
        case 412:
            code = ErrorCode::kRevisionMismatch;
            break;
        case 400:
        case 422:
            // Others are of strangers in between, or of a key that was used before.
            if (problem.code == "malformed" || problem.code == "invalid") {
                code = ErrorCode::kInvalid;
            }
            break;
        case 429:
            code = ErrorCode::kRateLimited;
            break;
        case 503:
            code = ErrorCode::kOverloaded;
            break;
        default:
            break;
    }
    std::string message = problem.message;
    if (answer.status == 401) message += "\n  " + advice_of(answer);
    const std::size_t host = answer.server.find("://");
    const bool has_path =
        host != std::string::npos && answer.server.find('/', host + 3) != std::string::npos;
    if (problem.code == "not_found" && has_path) {
        message += "\n  " + answer.server + " has a path: look at --server or STANDINGS_SERVER";
    }
    if (problem.code == "board_not_found" && answer.key_from.empty()) {
        message += "\n  a private board is seen with a key only";
    }
    return {code, std::move(message)};
}

std::string escaped(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                              c == '~' || c == ':' || c == '@';
        if (is_plain) {
            out += c;
        } else {
            out += '%';
            out += kHex[static_cast<unsigned char>(c) >> 4];
            out += kHex[static_cast<unsigned char>(c) & 15];
        }
    }
    return out;
}

}  // namespace standings::cli
