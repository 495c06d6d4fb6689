#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace standings::base {
namespace {

TEST(Crc32c, IsTheOneOfRfc3720) {
    // RFC 3720, appendix B.4.
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
    EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
}

TEST(Crc32c, GoesOnFromWhatCameBefore) {
    const std::string text = "the quick brown fox jumps over the lazy dog";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        const std::string_view view = text;
        EXPECT_EQ(crc32c(view.substr(cut), crc32c(view.substr(0, cut))), crc32c(view));
    }
}

TEST(Chain, DependsOnTheOrderOfRows) {
    EXPECT_NE(chain_after(chain_after(0, 1), 2), chain_after(chain_after(0, 2), 1));
    EXPECT_NE(chain_after(0, 0), 0U);
}

TEST(Hash128, DependsOnTheSeed) {
    EXPECT_NE(hash128("key", 1), hash128("key", 2));
    EXPECT_TRUE(static_cast<bool>(hash128("")));
}

}  // namespace
}  // namespace standings::base
