#include "cli/word_order.h"

#include <gtest/gtest.h>

namespace standings::cli {
namespace {

using Words = std::vector<std::string>;

// `boards ls` and `top BOARD`, with flags like theirs.
class WordOrder : public testing::Test {
  protected:
    WordOrder() {
        app_.add_flag("--version");
        CLI::App* boards = app_.add_subcommand("boards");
        for (CLI::App* command : {boards->add_subcommand("ls"), app_.add_subcommand("top")}) {
            command->add_option("--server", text_);
            command->add_option("-n,--count", text_);
            command->add_flag("-y,--yes");
        }
    }
    Words ordered(const Words& words) const { return with_flags_behind(app_, words); }

    std::string text_;
    CLI::App app_{"test"};
};

TEST_F(WordOrder, TakesFlagsWithTheirValuesBehindTheCommand) {
    EXPECT_EQ(ordered({"--server", "URL", "boards", "ls"}),
              (Words{"boards", "ls", "--server", "URL"}));
    EXPECT_EQ(ordered({"boards", "--server=URL", "ls"}), (Words{"boards", "ls", "--server=URL"}));
    EXPECT_EQ(ordered({"-y", "-n", "5", "top", "b"}), (Words{"top", "-y", "-n", "5", "b"}));
    EXPECT_EQ(ordered({"-n5", "top", "b"}), (Words{"top", "-n5", "b"}));
}

TEST_F(WordOrder, TakesNoCommandForAValueAndNoValueForACommand) {
    EXPECT_EQ(ordered({"--server", "top", "boards", "ls"}),
              (Words{"boards", "ls", "--server", "top"}));
    EXPECT_EQ(ordered({"--yes", "top", "b"}), (Words{"top", "--yes", "b"}));
}

TEST_F(WordOrder, LeavesTheRestAsItStands) {
    for (const Words& words :
         {Words{}, Words{"--version"}, Words{"--version", "top"}, Words{"--bogus", "top", "b"},
          Words{"top", "b", "--server", "URL"}, Words{"top", "--", "-n"}, Words{"nope", "-n"},
          Words{"-", "top"}, Words{"--", "--server", "top"}}) {
        EXPECT_EQ(ordered(words), words);
    }
    EXPECT_EQ(ordered({"--server"}), Words{"--server"});
}

}  // namespace
}  // namespace standings::cli
