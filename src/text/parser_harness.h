// What tests of parsers share.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace standings::text {

inline std::uint64_t test_seed() {
    if (const char* given = std::getenv("STANDINGS_SEED")) {
        return std::strtoull(given, nullptr, 10);
    }
    static const std::uint64_t kSeed = std::random_device{}();
    return kSeed;
}

// Calls `read` with every prefix of every text, and with many texts changed at random, each in a
// buffer of exactly its size, so that a sanitizer sees a read beyond it.
inline void read_whole_cut_and_changed(const std::vector<std::string>& texts, int changes,
                                       const std::function<void(std::string_view)>& read) {
    const auto give = [&](std::string_view text) {
        const auto exact = std::make_unique<char[]>(text.size());
        text.copy(exact.get(), text.size());
        read({exact.get(), text.size()});
    };
    std::mt19937_64 random(test_seed());
    const char* scale = std::getenv("STANDINGS_TEST_SCALE");
    changes *= scale != nullptr ? std::atoi(scale) : 1;
    for (const std::string& text : texts) {
        for (std::size_t end = 0; end <= text.size() && end < 2000; ++end) {
            give(std::string_view(text).substr(0, end));
        }
        give(text);
        for (int i = 0; i < changes; ++i) {
            std::string changed = text;
            for (std::uint64_t left = 1 + random() % 4; left > 0 && !changed.empty(); --left) {
                const std::size_t at = random() % changed.size();
                switch (random() % 4) {
                    case 0:
                        changed[at] = static_cast<char>(random());
                        break;
                    case 1:
                        changed.erase(at, 1 + random() % 3);
                        break;
                    case 2:
                        changed.insert(at, 1, "{}[]\",:\\0e-.% "[random() % 14]);
                        break;
                    default: {
                        const std::string& other = texts[random() % texts.size()];
                        changed.insert(at, other.substr(0, 1 + random() % (other.size() + 1)));
                    }
                }
            }
            give(changed);
        }
    }
}

}  // namespace standings::text
