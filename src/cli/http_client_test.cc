#include "cli/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

namespace standings::cli {
namespace {

using base::ErrorCode;

// Takes one connection at a time on a free port of the loopback, and answers each request it finds
// complete with the next of `answers`; an empty one resets the connection amid the request's body,
// and another is taken. What it read is there after join().
class OneConnection {
  public:
    explicit OneConnection(std::vector<std::string> answers, bool at_head = false) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_, 4), 0);
        const timeval patience{.tv_sec = 10, .tv_usec = 0};  // of accept() as well
        ::setsockopt(listener_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, answers = std::move(answers), at_head] {
            int socket = ::accept(listener_, nullptr, nullptr);
            for (const std::string& answer : answers) {
                if (answer.empty()) socket = with_more(socket);
                if (!read_request(socket, at_head || answer.empty())) break;
                if (answer.empty()) {
                    read_more(socket, 100'000);
                    const linger at_once{.l_onoff = 1, .l_linger = 0};
                    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
                    ::close(socket);
                    socket = ::accept(listener_, nullptr, nullptr);
                    continue;
                }
                EXPECT_EQ(::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL),
                          static_cast<ssize_t>(answer.size()));
            }
            ::shutdown(socket, SHUT_WR);
            char rest[65536];
            while (::recv(socket, rest, sizeof rest, 0) > 0) {
            }
            ::close(socket);
        });
    }
    ~OneConnection() {
        if (thread_.joinable()) thread_.join();
        ::close(listener_);
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    // After the client is gone.
    const std::string& read() {
        thread_.join();
        return bytes_;
    }

  private:
    bool read_request(int socket, bool at_head) {
        const std::size_t start = bytes_.size();
        const auto is_complete = [&] {
            const std::string_view request = std::string_view(bytes_).substr(start);
            const std::size_t end = request.find("\r\n\r\n");
            if (end == std::string_view::npos) return false;
            if (at_head) return true;
            if (request.find("Transfer-Encoding: chunked") < end)
                return request.ends_with("0\r\n\r\n");
            const std::size_t length = request.find("Content-Length: ");
            if (length > end) return true;
            return request.size() - end - 4 == std::stoul(std::string(request.substr(length + 16)));
        };
        char piece[65536];
        while (!is_complete()) {
            const ssize_t count = ::recv(socket, piece, sizeof piece, 0);
            if (count <= 0) return false;
            bytes_.append(piece, static_cast<std::size_t>(count));
        }
        return true;
    }

    // The connection on which the client goes on: this one, or another instead of it.
    int with_more(int socket) {
        pollfd both[] = {{socket, POLLIN, 0}, {listener_, POLLIN, 0}};
        EXPECT_GT(::poll(both, 2, 10'000), 0);
        if (both[1].revents == 0) return socket;
        ::close(socket);
        return ::accept(listener_, nullptr, nullptr);
    }
    void read_more(int socket, std::size_t bytes) {
        const std::size_t enough = bytes_.size() + bytes;
        char piece[65536];
        while (bytes_.size() < enough) {
            const ssize_t count = ::recv(socket, piece, sizeof piece, 0);
            if (count <= 0) return;
            bytes_.append(piece, static_cast<std::size_t>(count));
        }
    }

    int listener_ = -1;
    int port_ = 0;
    std::string bytes_;
    std::thread thread_;
};

std::string answer_of(std::string_view status, std::string_view body, std::string_view more = "") {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

base::Result<HttpClient> client_of(const std::string& server, const std::string& key = "st_sk_x") {
    ClientSettings settings;
    settings.server = server;
    settings.key = key;
    return HttpClient::open(settings);
}

TEST(HttpClient, SendsKeyAndBodyOverOneConnectionAndReadsTheAnswers) {
    OneConnection server({answer_of("200 OK", "{}", "X-Thing:  a b\r\n"),
                          answer_of("409 Conflict", "no"), answer_of("204 No Content", "")});
    {
        auto client = client_of(server.url() + "/");
        ASSERT_TRUE(client);
        EXPECT_EQ(client->server(), server.url());
        const auto first = client->send({.method = "POST", .target = "/v1/boards", .body = "{1}"});
        ASSERT_TRUE(first) << first.error().detail;
        EXPECT_EQ(first->status, 200);
        EXPECT_EQ(first->body, "{}");
        EXPECT_EQ(first->header("x-thing"), "a b");
        EXPECT_EQ(first->header("x-other"), "");
        const auto second = client->send({.target = "/v1/boards/a?b=c"});
        ASSERT_TRUE(second);
        EXPECT_EQ(second->status, 409);
        EXPECT_EQ(second->body, "no");
        const auto third =
            client->send({.method = "POST", .target = "/x", .headers = {{"If-Match", "\"3\""}}});
        ASSERT_TRUE(third);
        EXPECT_EQ(third->status, 204);
    }
    const std::string& read = server.read();
    EXPECT_TRUE(read.starts_with("POST /v1/boards HTTP/1.1\r\n")) << read;
    EXPECT_NE(read.find("Authorization: Bearer st_sk_x\r\n"), std::string::npos);
    EXPECT_NE(read.find("User-Agent: standings/"), std::string::npos);
    EXPECT_NE(read.find("Content-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(read.find("If-Match: \"3\"\r\n"), std::string::npos);
    EXPECT_NE(read.find("Content-Length: 0\r\n"), std::string::npos);
    EXPECT_EQ(read.find("Expect:"), std::string::npos);
    EXPECT_EQ(read.find("x-www-form"), std::string::npos);
}

TEST(HttpClient, UploadsWhatTheCallbackGivesAndHandsOverTheAnswer) {
    OneConnection server(
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"});
    const std::string line = std::string(1000, 'x') + '\n';
    std::string taken;
    {
        auto client = client_of(server.url());
        int left = 1000;
        const auto answer = client->upload(
            {.method = "POST", .target = "/s", .content_type = "application/x-ndjson"},
            [&](std::span<char> room) -> std::optional<std::size_t> {
                if (left == 0) return 0;
                --left;
                return line.copy(room.data(), room.size());
            },
            [&](std::string_view piece) {
                taken += piece;
                return true;
            });
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(answer->body, "");
    }
    EXPECT_EQ(taken, "one\ntwo\n");
    const std::string& read = server.read();
    EXPECT_TRUE(read.starts_with("POST /s HTTP/1.1\r\n")) << read.substr(0, 200);
    EXPECT_NE(read.find("Content-Type: application/x-ndjson\r\n"), std::string::npos);
    EXPECT_EQ(read.find("Expect:"), std::string::npos);
    EXPECT_GT(read.size(), 1000 * line.size());
}

TEST(HttpClient, UploadsAgainAfterAConnectionThatBroke) {
    OneConnection server({answer_of("200 OK", "{}"), "", answer_of("200 OK", "")});
    {
        auto client = client_of(server.url());
        EXPECT_TRUE(client->send({.target = "/b"}));
        const std::string piece(16384, '#');
        int pieces = 0;
        const auto upload = [&](int most) {
            pieces = 0;
            return client->upload({.method = "POST", .target = "/s"},
                                  [&](std::span<char> room) -> std::optional<std::size_t> {
                                      if (pieces++ == most) return 0;
                                      return piece.copy(room.data(), room.size());
                                  });
        };
        EXPECT_FALSE(upload(1000));
        const auto again = upload(3);
        EXPECT_TRUE(again) << again.error().detail;
    }
    const std::string& read = server.read();
    const std::string_view second = std::string_view(read).substr(read.rfind("POST /s"));
    EXPECT_EQ(std::count(second.begin(), second.end(), '#'), 3 * 16384);
}

TEST(HttpClient, HearsARefusalBeforeTheBodyIsComplete) {
    OneConnection server({answer_of("401 Unauthorized", R"({"title":"A key is needed"})")}, true);
    auto client = client_of(server.url());
    const std::string piece(16384, 'x');
    const auto answer = client->upload(
        {.method = "POST", .target = "/s"},
        [&](std::span<char> room) -> std::optional<std::size_t> {
            return piece.copy(room.data(), room.size());
        },
        [](std::string_view) { return ADD_FAILURE() << "not a 2xx body", true; });
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 401);
    EXPECT_NE(error_of(*answer).detail.find("the key from --key"), std::string::npos);
}

TEST(HttpClient, EndsWhenACallbackGivesUp) {
    {
        OneConnection server({answer_of("200 OK", "0123456789")});
        auto client = client_of(server.url());
        const auto answer = client->download({.target = "/e"}, [](auto) { return false; });
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::kIo);
    }
    OneConnection server({answer_of("200 OK", "")});
    auto client = client_of(server.url());
    const auto answer = client->upload({.method = "POST", .target = "/e"},
                                       [](std::span<char>) { return std::nullopt; });
    ASSERT_FALSE(answer);
}

TEST(HttpClient, SaysWhatToDoWhenNobodyListens) {
    std::string url;
    {
        OneConnection gone({});
        url = gone.url();
        auto wake = client_of(url);
        EXPECT_FALSE(wake->send({.target = "/"}));  // closed without an answer
    }
    auto client = client_of(url, "st_sk_hidden");
    const auto answer = client->send({.target = "/"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kIo);
    EXPECT_NE(answer.error().detail.find("cannot reach " + url + ": connection refused"),
              std::string::npos)
        << answer.error().detail;
    EXPECT_NE(answer.error().detail.find("standings serve"), std::string::npos);
    EXPECT_EQ(answer.error().detail.find("hidden"), std::string::npos);
}

TEST(HttpClient, RefusesAddressesAndKeysThatCannotBe) {
    for (const char* server :
         {"", "http://", "ftp://host", "http://user:st_sk_secret@host", "http://host?x=1",
          "http://host:99999", "http://ho st", "http://host\n"}) {
        const auto client = client_of(server);
        ASSERT_FALSE(client) << server;
        EXPECT_EQ(client.error().code, ErrorCode::kSettings);
        EXPECT_EQ(client.error().detail.find("st_sk_"), std::string::npos);
    }
    for (const char* key : {"a b", "a\r\nX: y", "a\x7f"}) {
        const auto client = client_of("http://host", key);
        ASSERT_FALSE(client) << key;
        EXPECT_EQ(client.error().detail.find(key), std::string::npos);
    }
    EXPECT_EQ(client_of("127.0.0.1:8420")->server(), "http://127.0.0.1:8420");
    EXPECT_EQ(client_of("https://host/some/path/")->server(), "https://host/some/path");
}

TEST(Problem, IsASentenceWithItsPlacesAndRequest) {
    HttpAnswer answer;
    answer.status = 422;
    answer.body = R"({"type":"/problems/invalid","title":"A value is not allowed","status":422,)"
                  R"("detail":"Two values.","code":"invalid","request_id":"r1","errors":[)"
                  R"({"pointer":"/score","code":"invalid","detail":"A score is a JSON number."},)"
                  R"({"code":"invalid","detail":"Two values."}]})";
    const Problem problem = problem_of(answer);
    EXPECT_EQ(problem.code, "invalid");
    EXPECT_EQ(problem.message,
              "A value is not allowed: Two values.\n"
              "  at /score: A score is a JSON number.\n"
              "  at the whole body\n"
              "  request r1");
    answer.body = "<html>";
    EXPECT_NE(problem_of(answer).message.find("answered 422"), std::string::npos);
    answer.status = 301;
    answer.headers = {{"location", "https://host/"}};
    EXPECT_NE(problem_of(answer).message.find("https://host/"), std::string::npos);
}

TEST(Problem, SaysOfWhichKeyAndOfWhichBoardItIs) {
    HttpAnswer answer{
        .status = 401,
        .body = R"({"title":"A key is needed","detail":"This key is not known here."})",
        .server = "http://host",
        .method = "GET"};
    EXPECT_NE(error_of(answer).detail.find("A key is needed"), std::string::npos);
    answer.key_from = "STANDINGS_KEY";
    EXPECT_EQ(
        error_of(answer).detail,
        "the key from STANDINGS_KEY is wrong: http://host does not know it\n"
        "  give a key that this server knows, or none: public boards can be read without one");
    answer.method = "POST";
    EXPECT_TRUE(error_of(answer).detail.ends_with("\n  give a key that this server knows"));
    answer.body = R"({"title":"A key is needed","detail":"There are no keys here. Send none."})";
    EXPECT_EQ(error_of(answer).detail,
              "http://host takes no key, and STANDINGS_KEY gives one\n  unset STANDINGS_KEY");
    answer.key_from = "--key";
    EXPECT_EQ(error_of(answer).detail,
              "http://host takes no key, and --key gives one\n  leave the key out");

    answer.status = 404;
    answer.target = "/v1/boards/a%2Fb/standings?limit=1";
    answer.body = R"({"title":"There is no such board","detail":"D.","code":"board_not_found"})";
    EXPECT_EQ(error_of(answer).detail, "there is no board 'a/b' at http://host");
    answer.target = "/v1/submissions";
    EXPECT_EQ(error_of(answer).detail, "There is no such board: D.");
    answer.key_from.clear();
    EXPECT_TRUE(
        error_of(answer).detail.starts_with("There is no such board: D.\n  a private board"));
}

TEST(HttpClient, FollowsABodyInTurnsOfTheCaller) {
    using std::chrono::milliseconds;
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    // The second answer waits for a request that never comes, and so the first has no end.
    OneConnection server({head + "3\r\none\r\n", "never"}, true);
    {
        auto client = client_of(server.url());
        ASSERT_TRUE(client);
        std::string body;
        int turns = 0;
        const auto take = [&](std::string_view bytes) {
            body += bytes;
            return true;
        };
        const auto answer = client->follow({.target = "/live"}, take, [&]() -> std::optional<Wait> {
            ++turns;
            if (body == "one") return std::nullopt;
            return Wait{.most = milliseconds(20)};
        });
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().detail, "given up");
        EXPECT_EQ(body, "one");
        EXPECT_GT(turns, 0);
    }
    server.read();

    OneConnection whole({head + "3\r\none\r\n0\r\n\r\n"});
    {
        auto client = client_of(whole.url());
        ASSERT_TRUE(client);
        std::string body;
        const auto answer = client->follow(
            {.target = "/live"},
            [&](std::string_view bytes) {
                body += bytes;
                return true;
            },
            [] { return Wait{.most = milliseconds(20)}; });
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(body, "one");
    }
    whole.read();
}

TEST(HttpClient, SaysWhoCouldNotBeFollowed) {
    const auto turn = [] { return Wait{.most = std::chrono::milliseconds(20)}; };
    const auto take = [](std::string_view) { return true; };
    auto nobody = client_of("http://127.0.0.1:9");
    ASSERT_TRUE(nobody);
    const auto refused = nobody->follow({.target = "/live"}, take, turn);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find("cannot reach http://127.0.0.1:9: connection refused"),
              std::string::npos)
        << refused.error().detail;

    OneConnection server({answer_of("404 Not Found", "no")});
    {
        auto client = client_of(server.url());
        ASSERT_TRUE(client);
        const auto missing = client->follow({.target = "/live"}, take, turn);
        ASSERT_TRUE(missing);
        EXPECT_EQ(missing->status, 404);
        EXPECT_EQ(missing->body, "no");
    }
    server.read();
}

TEST(HttpClient, WaitsNoLongerThanUntilAFileHasSomethingToRead) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    OneConnection server({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "never"}, true);
    {
        auto client = client_of(server.url());
        ASSERT_TRUE(client);
        const auto began = std::chrono::steady_clock::now();
        bool has_byte = false;
        const auto answer = client->follow(
            {.target = "/live"}, [](std::string_view) { return true; },
            [&]() -> std::optional<Wait> {
                if (has_byte) return std::nullopt;
                has_byte = ::write(ends[1], "x", 1) == 1;
                return Wait{.most = std::chrono::seconds(30), .file = ends[0]};
            });
        EXPECT_FALSE(answer);
        EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
    }
    ::close(ends[0]);
    ::close(ends[1]);
    server.read();
}

TEST(Escaped, KeepsWhatIdsHoldAndEscapesTheRest) {
    EXPECT_EQ(escaped("u_1.a:b@c-d~"), "u_1.a:b@c-d~");
    EXPECT_EQ(escaped("a/b?c=d&e f%"), "a%2Fb%3Fc%3Dd%26e%20f%25");
    EXPECT_EQ(escaped("\xc3\xa9"), "%C3%A9");
}

}  // namespace
}  // namespace standings::cli
