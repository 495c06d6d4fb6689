#include "access/credentials.h"

#include <gtest/gtest.h>

namespace standings::access {
namespace {

constexpr std::string_view kKey = "a-key-of-at-least-thirty-two-characters";

TEST(Credentials, NobodyWithoutAHeader) {
    const auto credentials = Credentials::with_secret_key(kKey);
    ASSERT_TRUE(credentials);
    const auto caller = credentials->identify("");
    ASSERT_TRUE(caller);
    EXPECT_TRUE(caller->id.empty());
    EXPECT_FALSE(caller->may(Scope::kSubmit));
    EXPECT_TRUE(caller->may(Scope::kNone));
}

TEST(Credentials, TheKeyOpensEverything) {
    const auto credentials = Credentials::with_secret_key(kKey);
    ASSERT_TRUE(credentials);
    for (const std::string scheme : {"Bearer ", "bearer ", "BEARER "}) {
        const auto caller = credentials->identify(scheme + std::string(kKey));
        ASSERT_TRUE(caller) << scheme;
        EXPECT_TRUE(caller->may(Scope::kSubmit));
        EXPECT_TRUE(caller->may(Scope::kBoards));
    }
}

TEST(Credentials, RefusesWhatIsNotTheKey) {
    const auto credentials = Credentials::with_secret_key(kKey);
    ASSERT_TRUE(credentials);
    for (const std::string& header :
         {std::string("Bearer"), std::string("Bearer "), "Basic " + std::string(kKey),
          "Bearer " + std::string(kKey) + "x", "Bearer " + std::string(kKey.substr(1)),
          "Bearer\t" + std::string(kKey)}) {
        const auto caller = credentials->identify(header);
        ASSERT_FALSE(caller) << header;
        EXPECT_EQ(caller.error().code, base::ErrorCode::kUnauthenticated);
    }
}

TEST(Credentials, OpenToAllLetsAnybodyReadAndSubmitButNothingElse) {
    const Credentials open = Credentials::open_to_all();
    const auto anyone = open.identify("");
    ASSERT_TRUE(anyone);
    EXPECT_FALSE(anyone->id.empty());
    EXPECT_TRUE(anyone->may(Scope::kRead));
    EXPECT_TRUE(anyone->may(Scope::kSubmit));
    EXPECT_FALSE(anyone->may(Scope::kReadPrivate));
    EXPECT_FALSE(anyone->may(Scope::kModerate));
    EXPECT_FALSE(anyone->may(Scope::kBoards));
    // The digest of no key is no key either.
    EXPECT_FALSE(open.identify("Bearer " + std::string(kKey)));
    EXPECT_FALSE(open.identify("Bearer "));
}

TEST(Credentials, RefusesAWeakKey) {
    EXPECT_FALSE(Credentials::with_secret_key("short"));
    EXPECT_FALSE(Credentials::with_secret_key(std::string(40, ' ')));
}

TEST(Credentials, MakesKeysThatDiffer) {
    base::SystemRandom random;
    const std::string one = make_secret_key(random);
    EXPECT_EQ(one.size(), 46U);
    EXPECT_NE(one, make_secret_key(random));
    EXPECT_TRUE(Credentials::with_secret_key(one));
}

}  // namespace
}  // namespace standings::access
