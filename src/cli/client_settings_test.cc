#include "cli/client_settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace standings::cli {
namespace {

struct Given {
    ClientSettings settings;
    std::string output = "table";
    bool refused = false;
};

Given parsed(std::vector<std::string> words) {
    Given given;
    CLI::App app("test");
    CLI::App* top = app.add_subcommand("top");
    CLI::Option* output = top->add_option("-o,--output", given.output);
    add_client_settings(
        *top, given.settings,
        OutputChoice{output, [&given](const std::string& word) { given.output = word; }});
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    reversed.push_back("top");
    try {
        app.parse(reversed);
    } catch (const CLI::ParseError&) {
        given.refused = true;
    }
    return given;
}

TEST(ClientSettings, ComeFromFlagsThenTheEnvironmentThenTheDefault) {
    ::unsetenv("STANDINGS_SERVER");
    ::unsetenv("STANDINGS_KEY");
    EXPECT_EQ(parsed({}).settings.server, "http://127.0.0.1:8420");
    ::setenv("STANDINGS_SERVER", "http://other", 1);
    ::setenv("STANDINGS_KEY", "k", 1);
    EXPECT_EQ(parsed({}).settings.server, "http://other");
    EXPECT_EQ(parsed({}).settings.key, "k");
    EXPECT_EQ(parsed({"--server", "http://third"}).settings.server, "http://third");
    ::setenv("STANDINGS_KEY_FILE", "/does/not/exist", 1);
    EXPECT_TRUE(parsed({}).refused);
    ::unsetenv("STANDINGS_KEY_FILE");
    ::unsetenv("STANDINGS_SERVER");
    ::unsetenv("STANDINGS_KEY");
}

TEST(ClientSettings, SayWhereTheKeyCameFromAndRefuseAnEmptyFile) {
    ::setenv("STANDINGS_KEY", "k", 1);
    EXPECT_EQ(parsed({}).settings.key_from, "STANDINGS_KEY");
    EXPECT_EQ(parsed({"--key", "l"}).settings.key_from, "--key");
    EXPECT_TRUE(parsed({"--key-file", "/dev/null"}).refused);
    ::unsetenv("STANDINGS_KEY");
    ::setenv("STANDINGS_KEY_FILE", "/dev/null", 1);
    EXPECT_TRUE(parsed({}).refused);
    EXPECT_FALSE(parsed({"--key", "l"}).refused);
    ::unsetenv("STANDINGS_KEY_FILE");
}

TEST(ClientSettings, ChooseTheOutputOfACommandThatHasOne) {
    EXPECT_EQ(parsed({}).output, "table");
    ::setenv("STANDINGS_OUTPUT", "json", 1);
    EXPECT_EQ(parsed({}).output, "json");
    EXPECT_EQ(parsed({"-o", "csv"}).output, "csv");
    ::setenv("STANDINGS_OUTPUT", "xml", 1);
    EXPECT_TRUE(parsed({}).refused);
    EXPECT_EQ(parsed({"-o", "csv"}).output, "csv");
    EXPECT_FALSE(parsed({"-o", "csv"}).refused);
    ::unsetenv("STANDINGS_OUTPUT");
}

TEST(ClientSettings, MakeAReportOneJsonObjectOrOneForPeople) {
    const auto as_json = [](std::vector<std::string> words) {
        CLI::App app("test");
        bool chosen = false;
        ClientSettings settings;
        add_client_settings(app, settings, add_report_output(app, chosen));
        std::reverse(words.begin(), words.end());
        app.parse(words);
        return chosen;
    };
    EXPECT_FALSE(as_json({}));
    EXPECT_TRUE(as_json({"-o", "json"}));
    for (const char* word : {"json", "ndjson", "table", "csv"}) {
        ::setenv("STANDINGS_OUTPUT", word, 1);
        EXPECT_EQ(as_json({}), std::string_view(word).ends_with("json"));
        EXPECT_FALSE(as_json({"-o", "table"}));
    }
    EXPECT_THROW(as_json({"-o", "csv"}), CLI::ParseError);
    ::unsetenv("STANDINGS_OUTPUT");
}

TEST(ClientSettings, AreTheOnlyOnesThatAClientLooksAt) {
    ::setenv("STANDINGS_THREADS", "abc", 1);
    ::setenv("STANDINGS_INIT_KEY_FILE", "/does/not/exist", 1);
    EXPECT_FALSE(parsed({}).refused);
    ::unsetenv("STANDINGS_INIT_KEY_FILE");
    ::unsetenv("STANDINGS_THREADS");
}

}  // namespace
}  // namespace standings::cli
