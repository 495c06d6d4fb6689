#include "jobs/backup_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/hash.h"
#include "ledger/sqlite/data_folder.h"

namespace standings::jobs {
namespace {

BackupManifest sample(const std::string& name, std::int64_t at) {
    BackupManifest manifest{.name = name, .version = "1.2.3", .created_at = {at}};
    manifest.bytes = 4096;
    manifest.crc32c = 0x00ABCDEF;
    manifest.took_ms = 12;
    manifest.facts = {.database_id = "0123456789abcdef0123456789abcdef",
                      .epoch = "k3",
                      .seq = {90412},
                      .chain = 0xFEDCBA9876543210U,
                      .boards = 2,
                      .players = 300};
    return manifest;
}

class Backups : public ::testing::Test {
  protected:
    std::string path() { return (data_.path() / "backups").string(); }
    void write(const std::string& name, const std::string& text = "x") {
        std::ofstream(path() + '/' + name) << text;
    }
    void put(const BackupFolder& folder, const std::string& name, std::int64_t at) {
        write(name + ".part");
        ASSERT_TRUE(put_in_place(folder.file(name + ".part"), folder.file(name), sample(name, at)));
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
    ASSERT_TRUE(folder.keep(1));
    EXPECT_EQ(folder.new_name(now, {7}), "standings-20261121T001500Z-7-3.db");
    put(folder, folder.new_name(now, {78}), 3);
    put(folder, folder.new_name(now, {78}), 4);
    EXPECT_EQ(folder.new_name(now, {7}), "standings-20261121T001500Z-7-3.db");
    EXPECT_EQ(folder.list().size(), 3U);
}

TEST_F(Backups, AreListedTheNewestFirst) {
    const auto folder = BackupFolder::open(path()).value();
    put(folder, "standings-a.db", 2000);
    put(folder, "standings-b.db", 3000);
    put(folder, "standings-c.db", 1000);
    const auto all = folder.list();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].name, "standings-b.db");
    EXPECT_EQ(all[2].name, "standings-c.db");
    EXPECT_TRUE(folder.find("standings-a.db"));
    EXPECT_FALSE(folder.find("standings-a"));
    EXPECT_FALSE(folder.find("../standings.db"));
}

TEST_F(Backups, KeepTheNewestAndRemoveTheRest) {
    const auto folder = BackupFolder::open(path()).value();
    for (const char* name : {"1", "2", "3", "4"}) {
        put(folder, std::string("standings-") + name + ".db", *name);
    }
    ASSERT_TRUE(folder.keep(2));
    const auto all = folder.list();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name, "standings-4.db");
    EXPECT_EQ(all[1].name, "standings-3.db");
    EXPECT_FALSE(std::filesystem::exists(path() + "/standings-1.json"));
    EXPECT_TRUE(folder.remove("standings-4.db").value());
    EXPECT_FALSE(folder.remove("standings-4.db").value());
}

TEST_F(Backups, AnOpeningSweepsWhatWasInterruptedAndNothingElse) {
    const auto folder = BackupFolder::open(path()).value();
    put(folder, "standings-whole.db", 1);
    write("standings-12.db.part");
    write("standings-12.db.part-journal");
    write("standings-gone.json");
    write("notes.txt");
    write("mine.db");
    ASSERT_TRUE(BackupFolder::open(path()));
    std::size_t left = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
        static_cast<void>(entry);
        ++left;
    }
    EXPECT_EQ(left, 4U);  // the whole one with its manifest, and the operator's own two
    EXPECT_EQ(folder.list().size(), 1U);
}

TEST_F(Backups, OneWithoutAManifestIsNotListed) {
    const auto folder = BackupFolder::open(path()).value();
    write("standings-x.db");
    write("standings-y.db");
    write("standings-y.json", "{");
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
