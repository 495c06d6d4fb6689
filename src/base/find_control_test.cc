#include "base/find_control.h"

#include <gtest/gtest.h>

#include <string>

namespace standings::base {
namespace {

// Every byte at every place of a text that is one word long, or two, or neither.
TEST(FindControl, FindsEachByteAtEachPlace) {
    for (std::size_t size = 0; size <= 19; ++size) {
        for (std::size_t place = 0; place < size; ++place) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(size, 'a');
                text[place] = static_cast<char>(byte);
                const bool control = byte < 0x20 || byte == 0x7f;
                EXPECT_EQ(find_control(text, 0), control ? place : size) << byte;
                const bool hit = control || byte == '"' || byte == '<';
                const std::size_t found = find_control<'"', '<'>(text, 0);
                EXPECT_EQ(found, hit ? place : size) << byte;
            }
        }
    }
}

TEST(FindControl, FindsTheFirstOfSeveralBehindItsStart) {
    const std::string text = "\naaa\xff\x80 \raaaaaaaaaaaa\t";
    EXPECT_EQ(find_control(text, 0), 0U);
    EXPECT_EQ(find_control(text, 1), 7U);
    EXPECT_EQ(find_control(text, 8), 20U);
    EXPECT_EQ(find_control(text, 21), 21U);
}

}  // namespace
}  // namespace standings::base
