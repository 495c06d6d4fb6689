#include "api/routes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace standings::api {
namespace {

using net::Method;

std::vector<Route> every_route() {
    std::vector<Route> all;
    for (const auto& routes : all_routes()) all.insert(all.end(), routes.begin(), routes.end());
    return all;
}

std::vector<std::string> parts(std::string_view path) {
    std::vector<std::string> all;
    path.remove_prefix(1);
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        all.emplace_back(path.substr(0, slash));
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return all;
}

bool overlap(std::string_view one, std::string_view other) {
    const auto a = parts(one);
    const auto b = parts(other);
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i] && a[i][0] != '{' && b[i][0] != '{') return false;
    }
    return true;
}

// The path with something in the place of each name.
std::string sample(std::string_view path) {
    std::string out;
    for (const std::string& part : parts(path)) out += '/' + (part[0] == '{' ? "x-1" : part);
    return out.empty() ? "/" : out;
}

Match find(Method method, const std::string& text) {
    static Target target;
    EXPECT_TRUE(target.parse(text));
    return find_route(method, target);
}

TEST(Routes, DoNotOverlap) {
    const auto all = every_route();
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = i + 1; j < all.size(); ++j) {
            if (all[i].path == all[j].path) {
                EXPECT_NE(all[i].method, all[j].method) << all[i].path;
            } else {
                EXPECT_FALSE(overlap(all[i].path, all[j].path))
                    << all[i].path << ' ' << all[j].path;
            }
        }
    }
}

TEST(Routes, AreFoundByTheirPath) {
    for (const Route& route : every_route()) {
        ASSERT_TRUE(route.path.starts_with('/'));
        ASSERT_NE(route.handle, nullptr);
        const std::string path = sample(route.path);
        const Match match = find(route.method, path);
        ASSERT_NE(match.route, nullptr) << path;
        EXPECT_EQ(match.route->path, route.path);
        EXPECT_EQ(match.route->method, route.method);
        if (route.method == Method::kGet) {
            EXPECT_EQ(find(Method::kHead, path).route, match.route) << "HEAD wherever GET is";
        }
        if (path != "/") {
            EXPECT_EQ(find(route.method, path + "/").route, nullptr) << path;
        }
        const Match other = find(Method::kOther, path);
        EXPECT_TRUE(other.path_known);
        EXPECT_EQ(other.route, nullptr);
        EXPECT_NE(allow_list(other.methods).find("OPTIONS"), std::string::npos);
    }
}

TEST(Routes, AskForAKeyWhereTheyWrite) {
    for (const Route& route : every_route()) {
        const bool reads = route.method == Method::kGet;
        // The ledger tells more than the standings do; jobs and backups are the operator's.
        auto of_reads = access::Scope::kNone;
        if (route.path == "/v1/boards/{board}/submissions") of_reads = access::Scope::kReadPrivate;
        const bool operators =
            route.path.starts_with("/v1/jobs") || route.path.starts_with("/v1/backups");
        if (operators) of_reads = access::Scope::kAdmin;
        if (reads) {
            EXPECT_EQ(route.scope, of_reads) << route.path;
        } else {
            EXPECT_NE(route.scope, access::Scope::kNone) << route.path;
        }
        // What is public, pages of other sites read as well; a WebSocket has a rule of its own.
        const bool is_public = reads && of_reads == access::Scope::kNone &&
                               route.path.starts_with("/v1/") && route.path != "/v1/live";
        if (is_public) {
            EXPECT_TRUE(route.any_origin) << route.path;
        }
        if (route.any_origin) {
            EXPECT_TRUE(reads) << route.path;
        }
    }
}

TEST(Routes, KnowNoOtherPath) {
    for (const char* path : {"/v1", "/v1/", "/v1/board", "/V1/boards", "/v1/boards/a/b/c/d", "/b",
                             "/b/", "//", "/v1//standings", "/%7Bboard%7D/x"}) {
        const Match match = find(Method::kGet, path);
        EXPECT_FALSE(match.path_known) << path;
    }
}

TEST(Routes, SayWhatAPathTakes) {
    EXPECT_EQ(allow_list(find(Method::kOptions, "/v1/boards").methods), "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(allow_list(find(Method::kOptions, "/v1/boards/a").methods),
              "GET, HEAD, PATCH, DELETE, OPTIONS");
    EXPECT_EQ(allow_list(find(Method::kOptions, "/v1/boards/a/submissions").methods),
              "GET, HEAD, POST, DELETE, OPTIONS");
}

}  // namespace
}  // namespace standings::api
