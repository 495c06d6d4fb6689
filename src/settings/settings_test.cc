#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "settings/flags.h"
#include "settings/reference.h"
#include "settings/toml_file.h"
#include "settings/values.h"

namespace standings::settings {
namespace {

class Settings : public ::testing::Test {
  protected:
    Settings() { std::filesystem::create_directories(folder_); }
    ~Settings() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& name, const std::string& text) {
        const std::string path = folder_ + '/' + name;
        std::ofstream(path) << text;
        return path;
    }
    base::Result<Values> from_file(const std::string& text) {
        inputs_.config = write("standings.toml", text);
        return Values::settle(inputs_);
    }

    const std::string folder_ =
        ::testing::TempDir() + "settings_test_" + std::to_string(::getpid());
    Inputs inputs_;
};

// A value of the setting that is not its default.
std::string other_value(const Setting& setting) {
    switch (setting.type) {
        case Type::kAddress:
            return "[::1]:1234";
        case Type::kPath:
            return "/somewhere";
        case Type::kText:
        case Type::kSecret:
            return "something-else";
        case Type::kFlag:
            return setting.fallback == "true" ? "false" : "true";
        case Type::kChoice:
            return std::string(setting.choices[setting.choices[0] == setting.fallback ? 1 : 0]);
        case Type::kBytes:
            return std::to_string(setting.least + 1) + "B";
        case Type::kDuration:
            return std::to_string(setting.least + 1) + "ms";
        case Type::kCount:
            return std::to_string(setting.least + 1);
    }
    return {};
}

std::string toml_line(const Setting& setting, const std::string& text) {
    const bool bare = setting.type == Type::kCount || setting.type == Type::kFlag;
    return std::string(setting.key) + " = " + (bare ? text : '"' + text + '"') + '\n';
}

TEST_F(Settings, AreNamedInOneWay) {
    std::set<std::string_view> seen;
    for (const Setting& setting : kTable) {
        EXPECT_TRUE(setting.flag.starts_with("--")) << setting.key;
        EXPECT_TRUE(setting.environment.starts_with("STANDINGS_")) << setting.key;
        EXPECT_TRUE(setting.help.ends_with('.')) << setting.key;
        EXPECT_NE(setting.commands, 0) << setting.key;
        for (const auto name : {setting.key, setting.flag, setting.environment}) {
            EXPECT_TRUE(seen.insert(name).second) << name;
        }
    }
    std::size_t next = 0;
    for (const Group& group : kGroups) {
        EXPECT_EQ(group.first, next) << group.title;
        next += group.count;
    }
    EXPECT_EQ(next, kTable.size());
}

TEST_F(Settings, EachIsReachedByFlagEnvironmentAndFile) {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        const Setting& setting = kTable[i];
        const std::string text = other_value(setting);
        SCOPED_TRACE(setting.key);

        Flags flags;
        CLI::App app("test");
        flags.add_to(app, kServe | kDemo | kClient);
        const std::string flag = std::string(setting.flag) + '=' + text;
        const char* arguments[] = {"test", flag.c_str()};
        app.parse(2, arguments);
        Inputs by_flag = flags.inputs();
        by_flag.environment.clear();
        const auto from_flag = Values::settle(by_flag);
        ASSERT_TRUE(from_flag) << from_flag.error().detail;
        EXPECT_EQ(from_flag->at(i).value.text, text);
        EXPECT_EQ(from_flag->at(i).source, Source::kFlag);
        EXPECT_EQ(from_flag->at(i).where, setting.flag);

        Inputs by_environment;
        by_environment.environment.emplace(setting.environment, text);
        const auto from_environment = Values::settle(by_environment);
        ASSERT_TRUE(from_environment) << from_environment.error().detail;
        EXPECT_EQ(from_environment->at(i).value.text, text);
        EXPECT_EQ(from_environment->at(i).where, setting.environment);

        const auto file = from_file(toml_line(setting, text));
        ASSERT_TRUE(file) << file.error().detail;
        EXPECT_EQ(file->at(i).value.text, text);
        EXPECT_EQ(file->at(i).where, *inputs_.config + ":1");
    }
}

TEST_F(Settings, AFlagComesBeforeTheEnvironmentBeforeTheFileBeforeTheDefault) {
    const std::size_t batch = *find_key("engine.batch");
    EXPECT_EQ(Values::settle(inputs_)->at(batch).where, "default");
    EXPECT_EQ(from_file("engine.batch = 10")->count("engine.batch"), 10U);
    inputs_.environment["STANDINGS_ENGINE_BATCH"] = "20";
    EXPECT_EQ(Values::settle(inputs_)->count("engine.batch"), 20U);
    inputs_.flags.push_back({batch, "30"});
    EXPECT_EQ(Values::settle(inputs_)->count("engine.batch"), 30U);
}

TEST_F(Settings, UnderstandUnits) {
    const auto values = from_file(
        "[http]\nmax_body = \"64MB\"\nmax_array = \"2 MiB\"\nmax_line = 1000\n"
        "idle_timeout = \"5m\"\nhead_timeout = \"500ms\"\n[retention]\nage = \"2d\"\n");
    ASSERT_TRUE(values) << values.error().detail;
    EXPECT_EQ(values->bytes("http.max_body"), 64'000'000U);
    EXPECT_EQ(values->bytes("http.max_array"), 2U << 20);
    EXPECT_EQ(values->bytes("http.max_line"), 1000U);
    EXPECT_EQ(values->duration("http.idle_timeout"), std::chrono::minutes(5));
    EXPECT_EQ(values->duration("http.head_timeout"), std::chrono::milliseconds(500));
    EXPECT_EQ(values->duration("retention.age"), std::chrono::hours(48));
}

TEST_F(Settings, AnUnknownKeyIsAnErrorWithTheNearest) {
    const auto values = from_file("\n[http]\nmax_conections = 5\n");
    ASSERT_FALSE(values);
    EXPECT_NE(values.error().detail.find(":3"), std::string::npos) << values.error().detail;
    EXPECT_NE(values.error().detail.find("'http.max_connections'"), std::string::npos);
}

TEST_F(Settings, AnUnknownVariableIsAWarning) {
    inputs_.environment = {{"STANDINGS_LISTN", "x"},
                           {"STANDINGS_TEST_X", "x"},
                           {"STANDINGS_SEED", "1"},
                           {"STANDINGS_PROGRAM", "p"},
                           {"STANDINGS_LOAD", "p"}};
    const auto values = Values::settle(inputs_);
    ASSERT_TRUE(values);
    ASSERT_EQ(values->warnings().size(), 1U);
    EXPECT_NE(values->warnings()[0].find("STANDINGS_LISTEN"), std::string::npos);
}

TEST_F(Settings, EverythingThatIsWrongIsNamedAtOnceWithItsSource) {
    inputs_.environment["STANDINGS_HTTP_MAX_BODY"] = "many";
    inputs_.flags.push_back({*find_key("engine.batch"), "0"});
    const auto values = from_file("http.max_depth = \"deep\"\nlog.level = \"loud\"\n");
    ASSERT_FALSE(values);
    const std::string& said = values.error().detail;
    for (const char* part : {"standings.toml:1", "'deep'", "from 2 to 1000", "standings.toml:2",
                             "debug, info", "STANDINGS_HTTP_MAX_BODY", "'many'", "64KiB",
                             "--engine-batch", "'0'", "from 1 to 65536"}) {
        EXPECT_NE(said.find(part), std::string::npos) << part << " in:\n" << said;
    }
}

TEST_F(Settings, AVariableThatIsEmptyIsNotSet) {
    inputs_.environment = {{"STANDINGS_THREADS", ""}, {"STANDINGS_INIT_KEY_FILE", ""}};
    const auto values = Values::settle(inputs_);
    ASSERT_TRUE(values) << values.error().detail;
    EXPECT_EQ(values->at(*find_key("threads")).source, Source::kDefault);
}

TEST_F(Settings, AKeyUnderAnotherTableIsKnownByItsName) {
    for (const char* text : {"[serv]\nlisten = \"[::1]:1\"\n", "[server]\ndata = \"x\"\n"}) {
        const auto values = from_file(text);
        ASSERT_FALSE(values);
        EXPECT_NE(values.error().detail.find("above all [tables]"), std::string::npos)
            << values.error().detail;
    }
}

TEST_F(Settings, WhatIsNotTomlOrNotThereIsAnErrorWithTheFile) {
    const auto broken = from_file("a = = 1\n");
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().detail.find("standings.toml"), std::string::npos);
    const auto bytes = from_file("a = 1\nlisten = '''\xff'''\n");
    ASSERT_FALSE(bytes);
    EXPECT_TRUE(
        bytes.error().detail.ends_with("standings.toml:2: this is not TOML: the line is "
                                       "not UTF-8"))
        << bytes.error().detail;
    inputs_.config = folder_ + "/none";
    const auto missing = Values::settle(inputs_);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().detail.find("/none"), std::string::npos);
    inputs_.config = folder_;
    EXPECT_FALSE(Values::settle(inputs_));
    EXPECT_FALSE(from_file("listen = [1, 2]\n"));
}

TEST_F(Settings, WhatIsNotTomlIsSaidInOneSentenceWithItsPlace) {
    // Versions of the library point at different columns.
    const std::pair<const char*, const char*> kBroken[] = {
        {"listen = \"[::1]:1\"\nthreads = = 1\n", ":2:"},
        {"[http\nx = 1\n", ":1:"},
        {"threads = 1\nthreads = 2\n", ":2:"},
        {"data = \"abc\n", ":1:"},
        {"threads", ":1:"},
    };
    for (const auto& [text, place] : kBroken) {
        const auto broken = from_file(text);
        ASSERT_FALSE(broken) << text;
        const std::string& said = broken.error().detail;
        EXPECT_TRUE(said.starts_with(*inputs_.config + place)) << said;
        EXPECT_NE(said.find(": this is not TOML: "), std::string::npos) << said;
        EXPECT_EQ(said.find('\n'), std::string::npos) << said;
        EXPECT_EQ(said.find("toml::"), std::string::npos) << said;
    }
}

TEST_F(Settings, AFileWritesEachValueAsItsTypeSays) {
    for (const Setting& setting : kTable) {
        SCOPED_TRACE(setting.key);
        const bool bare = setting.type == Type::kCount || setting.type == Type::kFlag;
        const std::string text = other_value(setting);
        std::vector<std::string> wrong = {"1.5", "1979-05-27", "[1]"};
        if (bare) wrong.push_back('"' + text + '"');
        if (setting.type != Type::kFlag) wrong.push_back("true");
        if (setting.type != Type::kCount && setting.type != Type::kBytes) wrong.push_back("5");
        for (const std::string& value : wrong) {
            const auto values = from_file(std::string(setting.key) + " = " + value + '\n');
            ASSERT_FALSE(values) << value;
            const std::string& said = values.error().detail;
            EXPECT_TRUE(
                said.starts_with(*inputs_.config + ":1: " + std::string(setting.key) + " is "))
                << said;
            EXPECT_NE(said.find(", but it is " + allowed(setting)), std::string::npos) << said;
            EXPECT_TRUE(said.ends_with(bare ? "without quotes" : "in quotes")) << said;
        }
    }
    const auto secret = from_file("init_key = 123456\n");
    EXPECT_EQ(secret.error().detail.find("123456"), std::string::npos) << secret.error().detail;
}

TEST_F(Settings, WhatACommandDoesNotUseIsNotLookedAt) {
    inputs_.used = Chosen();
    inputs_.used.set(*find_key("client.server"));
    inputs_.environment = {{"STANDINGS_THREADS", "abc"}, {"STANDINGS_INIT_KEY_FILE", "/none"}};
    EXPECT_TRUE(from_file("engine.batch = 0\nlog.level = 5\n"));
    inputs_.used.set(*find_key("threads"));
    EXPECT_FALSE(from_file(""));
}

TEST_F(Settings, WhatIsWrongLeavesItsPlaceToTheNextSource) {
    inputs_.config = write("standings.toml", "engine.batch = 10\nthreads = \"4\"\n");
    inputs_.environment["STANDINGS_ENGINE_BATCH"] = "0";
    std::vector<std::string> problems;
    const Values values = Values::settle(inputs_, problems);
    EXPECT_EQ(problems.size(), 2U);
    EXPECT_EQ(values.count("engine.batch"), 10U);
    EXPECT_EQ(values.count("threads"), 0U);
}

TEST_F(Settings, AFlagThatIsNeitherTrueNorFalseIsRefused) {
    for (const char* word : {"--open=maybe", "--open=x", "--open=99999999999999999999"}) {
        Flags flags;
        CLI::App app("test");
        flags.add_to(app, kServe);
        const char* arguments[] = {"test", word};
        EXPECT_THROW(app.parse(2, arguments), CLI::ValidationError) << word;
    }
}

TEST_F(Settings, ASecretMayLieInAFileOfItsOwnAndIsNeverShown) {
    const std::string path = write("secret", "hush-hush\n");
    inputs_.environment["STANDINGS_INIT_KEY_FILE"] = path;
    auto values = Values::settle(inputs_);
    ASSERT_TRUE(values) << values.error().detail;
    EXPECT_EQ(values->text("init_key"), "hush-hush");
    EXPECT_EQ(show_table(*values).find("hush"), std::string::npos);
    EXPECT_EQ(show_json(*values).find("hush"), std::string::npos);
    inputs_.environment["STANDINGS_INIT_KEY"] = "other";
    EXPECT_FALSE(Values::settle(inputs_)) << "either, not both";
    for (const std::string& unreadable : {folder_, folder_ + "/none"}) {
        inputs_.environment = {{"STANDINGS_INIT_KEY_FILE", unreadable}};
        const auto refused = Values::settle(inputs_);
        ASSERT_FALSE(refused) << unreadable;
        EXPECT_NE(refused.error().detail.find(unreadable), std::string::npos);
    }
    inputs_.environment.clear();
    values = from_file("init_key_file = \"" + path + "\"\n");
    ASSERT_TRUE(values);
    EXPECT_EQ(values->text("init_key"), "hush-hush");
}

TEST_F(Settings, TheStateDirectoryComesBeforeTheDefaultOnly) {
    inputs_.environment["STATE_DIRECTORY"] = "/var/lib/a:/var/lib/b";
    EXPECT_EQ(Values::settle(inputs_)->text("data"), "/var/lib/a");
    EXPECT_EQ(from_file("data = \"/x\"\n")->text("data"), "/x");
}

TEST_F(Settings, TheTemplateIsReadBackAsTheDefaults) {
    std::string text = toml_template();
    const auto as_is = from_file(text);
    ASSERT_TRUE(as_is) << as_is.error().detail;
    // With each line in force, but for those of secrets.
    std::string active;
    std::size_t lines = 0;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line); active += line + '\n') {
        const bool setting = line.starts_with('#') && !line.starts_with("# ");
        if (!setting || line.find("_file") != std::string::npos) continue;
        line.erase(0, 1);
        ++lines;
    }
    EXPECT_EQ(lines + 2, kTable.size());
    const auto values = from_file(active);
    ASSERT_TRUE(values) << values.error().detail << active;
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        EXPECT_EQ(values->at(i).value.text, kTable[i].fallback);
    }
}

TEST_F(Settings, DefaultsAreWrittenAsTheyAreRead) {
    for (const Setting& setting : kTable) {
        const auto value = parse_value(setting, setting.fallback);
        ASSERT_TRUE(value) << setting.key;
        if (setting.type == Type::kBytes) {
            EXPECT_EQ(parse_value(setting, write_bytes(value->number))->number, value->number);
        }
        if (setting.type == Type::kDuration) {
            EXPECT_EQ(parse_value(setting, write_duration(value->number))->number, value->number);
        }
    }
}

TEST(DidYouMean, IsSaidOfSlipsOnly) {
    const std::vector<std::string_view> known = {
        "--rate", "--count", "top", "serve", "config", "STANDINGS_DATA_DIR", "http.max_body"};
    for (const auto& [text, meant] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"--cuont", "--count"},
             {"serv", "serve"},
             {"tpo", "top"},
             {"conifg", "config"},
             {"http.max_bdy", "http.max_body"},
             {"STANDINGS_DATADIR", "STANDINGS_DATA_DIR"}}) {
        EXPECT_EQ(nearest(text, known), meant) << text;
    }
    for (const std::string_view text : {"nope", "--data", "STANDINGS_KEYS", "xq", "", "-"}) {
        EXPECT_EQ(nearest(text, known), "") << text;
    }
}

}  // namespace
}  // namespace standings::settings
