#include "net/fragment_count.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace standings::net {
namespace {

constexpr unsigned char kText = 0x01;
constexpr unsigned char kMore = 0x00;
constexpr unsigned char kPing = 0x89;
constexpr unsigned char kLast = 0x80;

std::string frame(unsigned char first, std::size_t size, bool masked = true) {
    std::string bytes(1, static_cast<char>(first));
    const unsigned char mask = masked ? 0x80 : 0;
    const auto add = [&](std::size_t value) { bytes += static_cast<char>(value & 0xFF); };
    if (size < 126) {
        add(mask | size);
    } else if (size < 65536) {
        add(mask | 126U);
        add(size >> 8);
        add(size);
    } else {
        add(mask | 127U);
        for (int shift = 56; shift >= 0; shift -= 8) add(size >> shift);
    }
    if (masked) bytes += "mask";
    return bytes + std::string(size, '\xFF');
}

// What is allowed of `bytes`, in pieces of `piece`.
std::size_t allowed(const std::string& bytes, std::size_t most, std::size_t piece) {
    FragmentCount count(most);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        const std::string_view now = std::string_view(bytes).substr(at, piece);
        const std::size_t taken = count.allowed(now);
        if (taken < now.size()) return at + taken;
    }
    return bytes.size();
}

void expect_allowed(const std::string& bytes, std::size_t most, std::size_t expected) {
    EXPECT_EQ(allowed(bytes, most, bytes.size()), expected) << "whole";
    for (const std::size_t piece : {1U, 2U, 3U, 7U}) {
        const std::size_t taken = allowed(bytes, most, piece);
        // Some of the head may have been in pieces before.
        EXPECT_GE(taken, expected) << piece;
        EXPECT_LE(taken, std::min(expected + 14, bytes.size())) << piece;
    }
}

TEST(FragmentCount, AllowsAsManyFramesAsItWasToldInEachMessage) {
    const std::string three = frame(kText, 5) + frame(kMore, 0) + frame(kMore | kLast, 200);
    const std::string all = three + frame(kText | kLast, 70'000) + three;
    expect_allowed(all, 3, all.size());
}

TEST(FragmentCount, EndsBeforeTheFrameThatIsOneTooMany) {
    const std::string two = frame(kText, 300) + frame(kMore, 0);
    expect_allowed(two + frame(kMore, 0) + frame(kMore | kLast, 9), 2, two.size());
    const std::string before = frame(kText | kLast, 70'000) + two;
    expect_allowed(before + frame(kMore | kLast, 1), 2, before.size());
}

TEST(FragmentCount, SaysTheSameWhereverItIsCut) {
    const std::string before = frame(kText, 200) + frame(kPing, 3) + frame(kMore, 0);
    const std::string all = before + frame(kMore | kLast, 1) + frame(kText | kLast, 9);
    for (std::size_t cut = 1; cut < all.size(); ++cut) {
        FragmentCount count(2);
        const std::size_t first = count.allowed(std::string_view(all).substr(0, cut));
        if (first < cut) {
            EXPECT_EQ(first, before.size()) << cut;
            continue;
        }
        // A head that was begun before is allowed as far as it had come.
        EXPECT_EQ(count.allowed(std::string_view(all).substr(cut)),
                  cut < before.size() ? before.size() - cut : 0)
            << cut;
    }
}

TEST(FragmentCount, DoesNotCountWhatComesInBetween) {
    std::string all = frame(kText, 1);
    for (int i = 0; i < 10; ++i) all += frame(kPing, 125);
    all += frame(kMore | kLast, 1, false);
    expect_allowed(all, 2, all.size());
}

}  // namespace
}  // namespace standings::net
