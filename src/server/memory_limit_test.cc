#include "server/memory_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace standings::server {
namespace {

class CgroupMemoryLimit : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "standings-cgroup-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        root_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void write(const std::string& path, const std::string& text) {
        const std::filesystem::path file = root_ + path;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    std::optional<std::uint64_t> limit_of(const std::string& membership) {
        write("/membership", membership);
        return cgroup_memory_limit(root_ + "/membership", root_);
    }

    std::string root_;
};

TEST_F(CgroupMemoryLimit, IsTheLeastOfTheGroupsAround) {
    write("/memory.max", "max\n");
    write("/a/memory.max", "1000\n");
    write("/a/b/memory.max", "3000\n");
    write("/c/memory.max", "5\n");
    EXPECT_EQ(limit_of("0::/a/b\n"), 1000u);
    EXPECT_EQ(limit_of("0::/a/b/no/longer/there\n"), 1000u);
    EXPECT_EQ(limit_of("0::/\n"), std::nullopt);
}

TEST_F(CgroupMemoryLimit, IsFoundInVersion1) {
    write("/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("/memory/a/memory.limit_in_bytes", "2000\n");
    write("/memory/b/memory.limit_in_bytes", "1000\n");
    EXPECT_EQ(limit_of("5:cpu,cpuacct:/b\n4:hugetlb,memory:/a\n1:name=systemd:/\n0::/\n"), 2000u);
    EXPECT_EQ(limit_of("4:memory:/\n"), 9223372036854771712u);
}

TEST_F(CgroupMemoryLimit, IsNoneWhereThereAreNoGroups) {
    EXPECT_EQ(limit_of(""), std::nullopt);
    EXPECT_EQ(limit_of("nonsense\n1:2\n"), std::nullopt);
    EXPECT_EQ(cgroup_memory_limit(root_ + "/nothing", root_), std::nullopt);
}

// Sanitizers reserve terabytes of addresses, which no such limit would leave them.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(MemoryLimit, IsAtMostWhatTheShellAllows) {
    EXPECT_GT(memory_limit(), std::uint64_t{64} << 20);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
    const rlimit less{rlim_t{600} << 20, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_AS, &less), 0);
    EXPECT_LE(memory_limit(), std::uint64_t{600} << 20);
    ::setrlimit(RLIMIT_AS, &before);
}
#endif

}  // namespace
}  // namespace standings::server
