#include "jobs/backup_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "ledger/sqlite/data_folder.h"

namespace standings::jobs {
namespace {

constexpr const char* kId = "0123456789abcdef0123456789abcdef";

BackupManifest sample(const std::string& name, std::int64_t at) {
    BackupManifest manifest{.name = name, .version = "1.2.3", .created_at = {at}};
    manifest.bytes = 4096;
    manifest.crc32c = 0x00ABCDEF;
    manifest.took_ms = 12;
    manifest.facts = {.database_id = kId,
                      .epoch = "k3",
                      .seq = {90412},
                      .chain = 0xFEDCBA9876543210U,
                      .boards = 2,
                      .players = 300};
    return manifest;
}

// Of the `number`-th backup.
std::string name(std::uint64_t number) {
    return backup_name({1'795'220'100'120}, {number});
}

class Backups : public ::testing::Test {
  protected:
    std::string path() { return (data_.path() / "backups").string(); }
    void write(const std::string& name, const std::string& text = "x") {
        std::ofstream(path() + '/' + name) << text;
    }
    void put(const BackupFolder& folder, const std::string& name, std::int64_t at,
             const std::string& database_id = kId) {
        BackupManifest manifest = sample(name, at);
        manifest.facts.database_id = database_id;
        write(name + ".part");
        ASSERT_TRUE(put_in_place(folder.file(name + ".part"), folder.file(name), manifest));
    }
    std::set<std::string> files() {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path())) {
            names.insert(entry.path().filename().string());
        }
        return names;
    }

    ledger::DataFolder data_;
};

TEST(BackupManifest, ComesBackFromItsJson) {
    const BackupManifest manifest = sample("standings-1.db", 1'700'000'000'123);
    const std::string json = to_json(manifest);
    const auto back = manifest_from_json(json);
    ASSERT_TRUE(back);
    EXPECT_EQ(to_json(*back), json);
    EXPECT_EQ(back->facts.chain, manifest.facts.chain);
    EXPECT_EQ(back->crc32c, manifest.crc32c);
    EXPECT_EQ(back->created_at, manifest.created_at);
}

TEST(BackupManifest, RefusesWhatIsNone) {
    const std::string json = to_json(sample("a.db", 0));
    EXPECT_FALSE(manifest_from_json(""));
    EXPECT_FALSE(manifest_from_json("[]"));
    EXPECT_FALSE(manifest_from_json("{}"));
    for (std::size_t size = 0; size < json.size(); ++size) {
        EXPECT_FALSE(manifest_from_json(json.substr(0, size))) << size;
    }
    std::string no_number = json;
    no_number.replace(no_number.find("4096"), 4, "-4.5");
    EXPECT_FALSE(manifest_from_json(no_number));
}

TEST(BackupName, SortsByTimeAndNamesTheSeq) {
    EXPECT_EQ(backup_name({1'795'220'100'120}, {90412}), "standings-20261121T001500Z-90412.db");
    EXPECT_EQ(manifest_path("/a/standings-1.db"), "/a/standings-1.json");
    EXPECT_EQ(manifest_path("/a/mine.sqlite"), "/a/mine.sqlite.json");
}

TEST_F(Backups, OfOneSecondAndSeqHaveNamesOfTheirOwn) {
    const auto folder = BackupFolder::open(path()).value();
    const base::Instant now{1'795'220'100'120};
    EXPECT_EQ(folder.new_name(now, {7}), "standings-20261121T001500Z-7.db");
    put(folder, folder.new_name(now, {7}), 1);
    EXPECT_EQ(folder.new_name(now, {7}), "standings-20261121T001500Z-7-2.db");
    put(folder, folder.new_name(now, {7}), 2);
    EXPECT_EQ(folder.new_name(now, {7}), "standings-20261121T001500Z-7-3.db");
    EXPECT_EQ(folder.new_name(now, {8}), "standings-20261121T001500Z-8.db");
    ASSERT_TRUE(folder.keep(1, kId));
    EXPECT_EQ(folder.new_name(now, {7}), "standings-20261121T001500Z-7-3.db");
    put(folder, folder.new_name(now, {78}), 3);
    put(folder, folder.new_name(now, {78}), 4);
    EXPECT_EQ(folder.new_name(now, {7}), "standings-20261121T001500Z-7-3.db");
    EXPECT_EQ(folder.list().size(), 3U);
}

TEST_F(Backups, AreListedTheNewestFirst) {
    const auto folder = BackupFolder::open(path()).value();
    put(folder, name(1), 2000);
    put(folder, name(2), 3000);
    put(folder, name(3), 1000);
    const auto all = folder.list();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].name, name(2));
    EXPECT_EQ(all[2].name, name(3));
    EXPECT_TRUE(folder.find(name(1)));
    EXPECT_FALSE(folder.find(name(1).substr(0, 20)));
    EXPECT_FALSE(folder.find("../standings.db"));
}

TEST_F(Backups, KeepTheNewestAndRemoveTheRest) {
    const auto folder = BackupFolder::open(path()).value();
    for (const std::uint32_t number : {1U, 2U, 3U, 4U}) put(folder, name(number), number);
    ASSERT_TRUE(folder.keep(2, kId));
    const auto all = folder.list();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name, name(4));
    EXPECT_EQ(all[1].name, name(3));
    EXPECT_FALSE(std::filesystem::exists(manifest_path(folder.file(name(1)))));
    EXPECT_TRUE(folder.remove(name(4)).value());
    EXPECT_FALSE(folder.remove(name(4)).value());
}

TEST_F(Backups, OfAnotherDatabaseNeitherCountNorGo) {
    const auto folder = BackupFolder::open(path()).value();
    for (const std::uint32_t number : {1U, 2U, 3U}) put(folder, name(number), number);
    for (const std::uint32_t number : {4U, 5U}) put(folder, name(number), number, "another");
    ASSERT_TRUE(folder.keep(2, kId));
    EXPECT_EQ(folder.list().size(), 4U);
    EXPECT_FALSE(folder.find(name(1)));
    ASSERT_TRUE(folder.keep(1, "another"));
    EXPECT_FALSE(folder.find(name(4)));
    EXPECT_TRUE(folder.find(name(2)));
}

TEST_F(Backups, OfAnOperatorsOwnNameNeitherCountNorGo) {
    const auto folder = BackupFolder::open(path()).value();
    const std::string stem = name(7).substr(0, name(7).size() - 3);
    const std::vector<std::string> own = {"precious.db",    "standings-mine.db", stem + "-.db",
                                          stem + "-2-3.db", stem + "x.db",       "standings-7.db"};
    for (const auto& mine : own) put(folder, mine, 1);
    put(folder, name(7), 2);
    put(folder, stem + "-12.db", 3);
    EXPECT_EQ(folder.list().size(), 2U);
    ASSERT_TRUE(folder.keep(1, kId));
    EXPECT_EQ(folder.list().size(), 1U);
    for (const auto& mine : own) {
        EXPECT_TRUE(files().contains(mine)) << mine;
        EXPECT_TRUE(files().contains(mine.substr(0, mine.size() - 3) + ".json")) << mine;
        EXPECT_FALSE(folder.remove(mine).value()) << mine;
    }
}

TEST_F(Backups, AnOpeningSweepsWhatWasInterruptedAndNothingElse) {
    const auto folder = BackupFolder::open(path()).value();
    put(folder, name(1), 1);
    const std::string part = std::filesystem::path(folder.begin().part()).filename().string();
    for (const char* end : {"", "-journal", "-wal", "-shm", ".json"}) write(part + end);
    write(manifest_path(name(2)));
    const std::set<std::string> own = {"notes.txt",
                                       "mine.db",
                                       "standings-notes.json",
                                       "standings-mine.db.3f09c2d41a77be80.part",
                                       "standings-backup.part",
                                       "standings-backup.3f09c2d41a77be80.party"};
    for (const auto& mine : own) write(mine);
    ASSERT_TRUE(BackupFolder::open(path()));
    std::set<std::string> expected = own;
    expected.insert({name(1), manifest_path(name(1))});
    EXPECT_EQ(files(), expected);
    EXPECT_EQ(folder.list().size(), 1U);
}

TEST_F(Backups, AnOpeningLeavesACopyThatIsUnderWay) {
    const auto folder = BackupFolder::open(path()).value();
    {
        const Unfinished one = folder.begin();
        const Unfinished other = folder.begin();
        EXPECT_NE(one.part(), other.part());
        std::ofstream(one.part()) << "x";
        ASSERT_TRUE(BackupFolder::open(path()));
        EXPECT_TRUE(std::filesystem::exists(one.part()));
    }
    ASSERT_TRUE(BackupFolder::open(path()));
    EXPECT_TRUE(files().empty());
}

TEST_F(Backups, WriteOverNoFileOfAnotherName) {
    const auto folder = BackupFolder::open(path()).value();
    write("x.db.part");
    write("x.json.part", "mine");
    write("x.db.part.json", "mine");
    EXPECT_FALSE(put_in_place(folder.file("x.db.part"), folder.file("x.db"), sample("x.db", 1)));
    EXPECT_EQ(std::filesystem::file_size(folder.file("x.db.part.json")), 4U);
    EXPECT_FALSE(std::filesystem::exists(folder.file("x.json")));
}

TEST_F(Backups, OneThatIsReplacedNeverHasAnothersManifest) {
    const auto folder = BackupFolder::open(path()).value();
    const std::string database = folder.file("x.db");
    write("x.db.1.part");
    ASSERT_TRUE(put_in_place(folder.file("x.db.1.part"), database, sample("x.db", 1)));
    // An end between the two names.
    EXPECT_FALSE(put_in_place(folder.file("none.part"), database, sample("x.db", 2)));
    EXPECT_TRUE(std::filesystem::exists(database));
    EXPECT_FALSE(std::filesystem::exists(manifest_path(database)));
    write("x.db.2.part");
    ASSERT_TRUE(put_in_place(folder.file("x.db.2.part"), database, sample("x.db", 3)));
    EXPECT_EQ(read_manifest(database).value()->created_at.ms, 3);
}

TEST_F(Backups, OneWithoutAManifestIsNotListed) {
    const auto folder = BackupFolder::open(path()).value();
    write(name(1));
    write(name(2));
    write(manifest_path(name(2)), "{");
    EXPECT_TRUE(folder.list().empty());
}

TEST_F(Backups, AreSummedWhole) {
    const auto folder = BackupFolder::open(path()).value();
    const std::string text(3'000'000, 'q');
    write("big", text);
    const auto sum = sum_file(folder.file("big")).value();
    EXPECT_EQ(sum.bytes, text.size());
    EXPECT_EQ(sum.crc32c, base::crc32c(text));
    EXPECT_EQ(sum_file(folder.file("big"), [](std::uint64_t) { return false; }).error().code,
              base::ErrorCode::kCancelled);
    EXPECT_FALSE(sum_file(folder.file("none")));
}

}  // namespace
}  // namespace standings::jobs
