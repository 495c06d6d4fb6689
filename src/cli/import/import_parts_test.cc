// The smaller parts of an import: board specs, addresses of Redis, doubles, rejects, whole passes.
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

#include "cli/import/board_sum.h"
#include "cli/import/import_key.h"
#include "cli/import/progress.h"
#include "cli/import/redis_set.h"
#include "cli/import/refusals.h"
#include "cli/import/rejects.h"
#include "cli/import/row_stream.h"
#include "cli/import/target_board.h"

namespace standings::cli {
namespace {

// A folder that goes away with its test.
class Folder {
  public:
    Folder() {
        std::string path = testing::TempDir() + "import-XXXXXX";
        path_ = mkdtemp(path.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string path(const std::string& name) const { return path_ / name; }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    std::string pack(const std::string& name, const std::string& text) const {
        const gzFile file = gzopen(path(name).c_str(), "ab");  // another member, if it exists
        gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
        gzclose(file);
        return path(name);
    }
    std::string read(const std::string& name) const {
        std::ifstream file(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    // Of all files, with a space between.
    std::string names() const {
        std::set<std::string> sorted;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            sorted.insert(entry.path().filename());
        std::string all;
        for (const auto& name : sorted) all += (all.empty() ? "" : " ") + name;
        return all;
    }

  private:
    std::filesystem::path path_;
};

bool go_on(const ByteSource&) {
    return true;
}

TEST(BoardSpec, ReadsRuleAndColumns) {
    EXPECT_EQ(short_form_of(*parse_rules("sum:points,goal_difference,goals_for")),
              "sum:points:desc:0,goal_difference:desc:0,goals_for:desc:0");
    EXPECT_EQ(short_form_of(*parse_rules("best:time:asc:2,laps:desc:1")),
              "best:time:asc:2,laps:desc:1");
    EXPECT_EQ(short_form_of(*parse_rules("last")), "last:score:desc:0");
    for (const char* wrong : {"", "most", "sum:", "sum:a,", "sum:a:up", "sum:a:7", "sum:a,b,c,d,e"})
        EXPECT_FALSE(parse_rules(wrong)) << wrong;
}

TEST(RedisAddress, TakesEachPart) {
    const auto all = parse_redis_address("redis://me:p%40ss%2F@db.example.org:6380/5/game%20a:b/c");
    ASSERT_TRUE(all);
    EXPECT_EQ(all->host, "db.example.org");
    EXPECT_EQ(all->port, 6380);
    EXPECT_EQ(all->user, "me");
    EXPECT_EQ(all->password, "p@ss/");
    EXPECT_EQ(all->database, 5U);
    EXPECT_EQ(all->key, "game a:b/c");
    const auto least = parse_redis_address("valkey://[::1]/scores");
    ASSERT_TRUE(least);
    EXPECT_EQ(least->host, "::1");
    EXPECT_EQ(least->port, 6379);
    EXPECT_EQ(least->key, "scores");
    EXPECT_EQ(parse_redis_address("redis://h/7")->key, "7");
    for (const char* wrong :
         {"", "http://h/k", "redis://h", "redis://h/", "redis:///k", "redis://h:x/k",
          "redis://h:70000/k", "redis://[::1/k", "redis://secret@h/k"}) {
        const auto address = parse_redis_address(wrong);
        ASSERT_FALSE(address) << wrong;
        EXPECT_EQ(address.error().detail.find("secret"), std::string::npos);
    }
}

TEST(Doubles, AreTheShortestTextThatIsExact) {
    EXPECT_EQ(shortest_decimal(0.1), "0.1");
    EXPECT_EQ(shortest_decimal(3.1400000000000001), "3.14");
    EXPECT_EQ(shortest_decimal(-9007199254740991), "-9007199254740991");
    EXPECT_EQ(shortest_decimal(1e22), "10000000000000000000000");
    EXPECT_EQ(shortest_decimal(std::numeric_limits<double>::denorm_min()).size(), 326U);
    EXPECT_EQ(shortest_decimal(std::numeric_limits<double>::infinity()), "inf");
}

TEST(Doubles, AreRoundedHalvesAwayFromZero) {
    EXPECT_EQ(round_decimal("2.005", 2), "2.01");
    EXPECT_EQ(round_decimal("2.004", 2), "2.00");
    EXPECT_EQ(round_decimal("-0.5", 0), "-1");
    EXPECT_EQ(round_decimal("0.49", 0), "0");
    EXPECT_EQ(round_decimal("9.999", 2), "10.00");
    EXPECT_EQ(round_decimal("-99.95", 1), "-100.0");
    EXPECT_EQ(round_decimal("12", 2), "12");
    EXPECT_EQ(round_decimal("1.5", 3), "1.5");
}

TEST(BoardSum, DoesNotDependOnTheOrder) {
    BoardSum one;
    BoardSum other;
    one.add("a", {{1}});
    one.add("b", {{2}});
    other.add("b", {{2}});
    other.add("c", {{3}});
    other.add("a", {{1}});
    EXPECT_NE(one, other);
    other.take_away("c", {{3}});
    EXPECT_EQ(one, other);
    BoardSum swapped;
    swapped.add("a", {{2}});
    swapped.add("b", {{1}});
    EXPECT_EQ(swapped.count(), one.count());
    EXPECT_NE(swapped.checksum(), one.checksum());
}

TEST(Grouped, SetsCommas) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1234567), "1,234,567");
}

const std::string kOne = "import-" + std::string(32, '1');
const std::string kTwo = "import-" + std::string(32, '2');

TEST(Rejects, TakeThePlaceOfEarlierOnesAtTheEnd) {
    const Folder folder;
    folder.write("r", "earlier");
    {
        Rejects rejects(folder.path("r"));
        ASSERT_TRUE(rejects.open());
        rejects.add(3, "wrong", "a\n\"b\"");
    }
    EXPECT_EQ(folder.read("r"), "earlier");
    EXPECT_EQ(folder.names(), "r");
    Rejects rejects(folder.path("r"));
    ASSERT_TRUE(rejects.open());
    rejects.add(1, "x", "y");
    rejects.start_over();
    rejects.add(3, "wrong", "a\n\"b\"");
    EXPECT_TRUE(rejects.finish());
    EXPECT_EQ(folder.read("r"), "{\"line\":3,\"reason\":\"wrong\",\"row\":\"a\\n\\\"b\\\"\"}\n");
    EXPECT_EQ(folder.names(), "r");
    {
        Rejects none(folder.path("r"));
        ASSERT_TRUE(none.open());
        EXPECT_TRUE(none.finish());
        EXPECT_TRUE(none.removed_earlier());
    }
    EXPECT_EQ(folder.names(), "");
    Rejects none(folder.path("r"));
    ASSERT_TRUE(none.open());
    EXPECT_TRUE(none.finish());
    EXPECT_FALSE(none.removed_earlier());
}

TEST(Rejects, SayWhichImportTheyBelongTo) {
    const Folder folder;
    for (const std::string& key : {std::string(), kOne}) {
        Rejects rejects(folder.path("r"));
        ASSERT_TRUE(rejects.open());
        rejects.belong_to(key);
        rejects.add(3, "wrong", "row");
        EXPECT_TRUE(rejects.finish());
        EXPECT_EQ(import_of(folder.path("r")), key);
        EXPECT_EQ(*import_named_in(folder.path("r")), "") << "the server refused none";
    }
    EXPECT_EQ(import_of(folder.path("none")), "");
    EXPECT_EQ(import_of(folder.write("strange", "{\"import\":\"../x\"}\n")), "");
    EXPECT_EQ(import_of(folder.write("empty", "")), "");
}

class ImportKeyTest : public testing::Test {
  protected:
    static FieldMap map(const char* renamings) {
        return *FieldMap::make(*parse_renamings(renamings), {ranking::Column{.name = "pts"}});
    }
    static ImportIdentity identity(const FieldMap& map, std::uint64_t content = 1,
                                   const char* life = "l1", const char* board = "cup") {
        return {board, life, {content, content}, FileFormat::kCsv, map};
    }
    const FieldMap map_ = map("a=player,b=pts");
};

TEST_F(ImportKeyTest, IsTheSameHoweverTheMappingIsSaid) {
    const std::string key = import_key(identity(map_), "");
    EXPECT_TRUE(is_import_key(key));
    EXPECT_EQ(import_key(identity(map("b=pts,a=player")), ""), key);
    EXPECT_EQ(import_key(identity(map("b=score,name=name,rank=,a=player")), ""), key);
    EXPECT_NE(import_key(identity(map("a=player,b=pts,c=")), ""), key);
    EXPECT_NE(import_key(identity(map_, 2), ""), key);
    EXPECT_NE(import_key(identity(map_, 1, "l2"), ""), key);
    EXPECT_NE(import_key(identity(map_, 1, "l1", "league"), ""), key);
    EXPECT_NE(import_key(identity(map_), "word"), key);
}

TEST_F(ImportKeyTest, TellsOtherContentOfTheSameBoard) {
    const std::string key = import_key(identity(map_), "");
    EXPECT_TRUE(has_other_content(key, import_key(identity(map_, 2), "")));
    EXPECT_FALSE(has_other_content(key, key));
    EXPECT_FALSE(has_other_content(key, import_key(identity(map_), "word")));
    EXPECT_FALSE(has_other_content(key, import_key(identity(map("a=player,b=pts,c=")), "")));
    EXPECT_FALSE(has_other_content(key, import_key(identity(map_, 2, "l2"), "")));
    EXPECT_FALSE(has_other_content(key, import_key(identity(map_, 2, "l1", "league"), "")));
    EXPECT_FALSE(has_other_content(key, ""));
}

TEST_F(ImportKeyTest, KnowsTheWordsOfAgainByTheirImport) {
    const std::string word = new_again_word(identity(map_));
    EXPECT_TRUE(is_again_word(word, identity(map_)));
    EXPECT_NE(new_again_word(identity(map_)), word);
    EXPECT_FALSE(is_again_word(word, identity(map_, 2)));
    EXPECT_FALSE(is_again_word(word, identity(map_, 1, "l2")));
    EXPECT_FALSE(is_again_word("x", identity(map_)));
    EXPECT_FALSE(is_again_word("", identity(map_)));
    EXPECT_FALSE(is_again_word(std::string(16, '0'), identity(map_)));
}

TEST(Rejects, AreRefusedBeforeTheFirstWhereTheyCannotBeWritten) {
    const Folder folder;
    EXPECT_FALSE(Rejects(folder.path("none/r")).open());
    Rejects full("/dev/full");
    ASSERT_TRUE(full.open());
    full.add(1, "x", "y");
    EXPECT_FALSE(full.finish());
}

// What a server refused, it does not say again.
TEST(Rejects, KeepWhatTheServerRefusedOfAnotherImport) {
    const Folder folder;
    const auto import = [&](const std::string& key, bool refused) {
        Rejects rejects(folder.path("r.ndjson"));
        EXPECT_TRUE(rejects.open());
        rejects.belong_to(key);
        if (refused) rejects.add(2, "no", "row", 1);
        EXPECT_TRUE(rejects.finish());
        return rejects.kept_aside();
    };
    EXPECT_EQ(import(kOne, true), "");
    EXPECT_EQ(folder.read("r.ndjson"),
              "{\"line\":2,\"reason\":\"no\",\"row\":\"row\",\"record\":1,\"import\":\"" + kOne +
                  "\"}\n");
    EXPECT_EQ(*import_named_in(folder.path("r.ndjson")), kOne);
    EXPECT_EQ(import(kOne, true), "") << "its own file is replaced";
    EXPECT_EQ(import(kTwo, true), folder.path("r.11111111.ndjson"));
    EXPECT_EQ(*import_named_in(folder.path("r.11111111.ndjson")), kOne);
    EXPECT_EQ(import(kOne, false), folder.path("r.22222222.ndjson"));
    EXPECT_EQ(folder.names(), "r.11111111.ndjson r.22222222.ndjson");
    EXPECT_EQ(import(kOne, false), "");
    // Of no import of ours, whatever it says.
    folder.write("r.ndjson",
                 "{\"line\":1,\"reason\":\"\",\"row\":\"\",\"record\":1,\"import\":\"../x\"}\n");
    EXPECT_EQ(import(kOne, false), "");
}

TEST(Refusals, AreKeptAsTheyComeAndTakenOverByTheirImportOnly) {
    const Folder folder;
    const std::string path = folder.path("refused");
    const auto records = [&](const std::string& key) {
        Refusals refusals(path, key);
        EXPECT_TRUE(refusals.read(folder.path("none")));
        EXPECT_TRUE(refusals.read(path));
        std::string all;
        for (const auto& refusal : refusals.by_record())
            all += std::to_string(refusal.record) + ' ' + *refusal.reason + ';';
        return all;
    };
    Refusals refusals(path, kOne);
    EXPECT_TRUE(refusals.keep());
    EXPECT_EQ(folder.names(), "") << "nothing is kept where nothing is refused";
    refusals.add(5, "no");
    refusals.add(7, "never");
    EXPECT_EQ(records(kOne), "");
    EXPECT_TRUE(refusals.keep());
    EXPECT_EQ(records(kOne), "5 The server: no;7 The server: never;");
    EXPECT_EQ(records(kTwo), "");
    // A line that a crash has cut is lost, and no other.
    std::ofstream(path, std::ios::app) << R"({"record":8,"im)";
    Refusals later(path, kOne);
    EXPECT_TRUE(later.read(path));
    later.add(5, "no");
    later.add(3, "no");
    EXPECT_TRUE(later.keep());
    EXPECT_EQ(later.count(), 3U);
    EXPECT_EQ(records(kOne), "3 The server: no;5 The server: no;7 The server: never;");
    later.forget();
    EXPECT_EQ(folder.names(), "");
    EXPECT_EQ(later.count(), 3U);
    // Another run of the import has removed what this one has open, read or not.
    refusals.add(9, "no");
    EXPECT_TRUE(refusals.keep());
    EXPECT_EQ(records(kOne), "5 The server: no;7 The server: never;9 The server: no;");
    refusals.forget();

    Refusals nowhere(folder.path("none/refused"), kOne);
    nowhere.add(1, "no");
    EXPECT_FALSE(nowhere.keep());
    // What cannot be read may name more than is known: it is not taken for empty.
    ASSERT_EQ(::symlink("ring", folder.path("ring").c_str()), 0);
    EXPECT_FALSE(nowhere.read(folder.path("ring")));
    EXPECT_FALSE(import_named_in(folder.path("ring")));
    // But there is nothing where nothing can be.
    folder.write("file", "");
    EXPECT_TRUE(nowhere.read(folder.path("file/refused")));
    EXPECT_TRUE(nowhere.read(folder.path(std::string(300, 'x'))));
    Refusals unkept("", kOne);
    unkept.add(1, "no");
    EXPECT_TRUE(unkept.keep());
    EXPECT_EQ(unkept.count(), 1U);
}

TEST(Input, HashesTheUnpackedContent) {
    const Folder folder;
    const std::string text(3'000'000, 'x');
    const auto plain = Input::open(folder.write("a", text));
    folder.pack("b.gz", text.substr(0, 1'000'001));
    const auto packed = Input::open(folder.pack("b.gz", text.substr(1'000'001)));
    const auto shorter = Input::open(folder.write("c", text.substr(1)));
    ASSERT_TRUE(plain && packed && shorter);
    EXPECT_EQ(*plain->hash(go_on), *packed->hash(go_on));
    EXPECT_NE(*plain->hash(go_on), *shorter->hash(go_on));
    EXPECT_FALSE(plain->hash([](const ByteSource&) { return false; }));
    // Cut off anywhere, or damaged, it is refused as a whole.
    const std::string bytes = folder.read("b.gz");
    for (const std::size_t size : {3UL, 12UL, bytes.size() / 2, bytes.size() - 1}) {
        const auto cut = Input::open(folder.write("cut.gz", bytes.substr(0, size)));
        EXPECT_FALSE(cut->hash(go_on)) << size;
    }
    EXPECT_FALSE(Input::open(folder.path("none")));
}

TEST(RowStream, GivesTheSameLinesForEveryPass) {
    const Folder folder;
    const auto input =
        Input::open(folder.write("s.csv", "player,score\n\na,1\nbad id,2\n\"b\n\",3\n  \nc,4\n"));
    ASSERT_TRUE(input);
    const auto map = FieldMap::make({}, {ranking::Column{}});
    for (const std::size_t bytes : {1U, 1000U}) {
        auto stream = RowStream::open(*input, FileFormat::kCsv, *map);
        ASSERT_TRUE(stream);
        Rejects rejects(folder.path("r"));
        ASSERT_TRUE(rejects.open());
        std::string lines;
        std::string piece;
        while (true) {
            piece.clear();
            const auto more = stream->fill(piece, bytes, rejects);
            ASSERT_TRUE(more);
            lines += piece;
            if (!*more) break;
        }
        // An empty line for each record that is no submission.
        EXPECT_EQ(lines,
                  "\n{\"player\":\"a\",\"score\":1}\n\n\n\n{\"player\":\"c\",\"score\":4}\n");
        EXPECT_EQ(stream->counts().rows, 4U);
        EXPECT_EQ(stream->counts().rejected, 2U);
        ASSERT_TRUE(rejects.finish());
        EXPECT_NE(folder.read("r").find("\"line\":4"), std::string::npos);
    }
}

}  // namespace
}  // namespace standings::cli
