#include "cli/import/import_key.h"

#include <cstdint>
#include <cstdio>

#include "base/hash.h"
#include "base/random.h"

namespace standings::cli {
namespace {

constexpr std::string_view kBegin = "import-";
constexpr std::size_t kDigits = 32;
constexpr std::size_t kPart = 8;  // digits of the board, and of the content
// Another number where the same file would give other lines than before.
constexpr std::string_view kLinesVersion = "1";

std::string hex(std::uint64_t number) {
    char text[17];
    std::snprintf(text, sizeof text, "%016lx", static_cast<unsigned long>(number));
    return text;
}

std::string hex32(std::uint64_t number) {
    return hex(number).substr(kPart);
}

std::string text_of(const ImportIdentity& identity) {
    std::string text = "standings import " + std::string(kLinesVersion) + '\n' + identity.board +
                       '\n' + identity.life + '\n' + hex(identity.content.high) +
                       hex(identity.content.low) + '\n';
    text += std::to_string(static_cast<int>(identity.format)) + '\n';
    return text + identity.map.text();
}

std::string_view part_of(std::string_view key, std::size_t number) {
    return key.substr(key.size() - number * kPart, kPart);
}

std::string check_of(std::string_view random, const ImportIdentity& identity) {
    return hex32(base::hash64(text_of(identity) + "again " + std::string(random)));
}

}  // namespace

std::string import_key(const ImportIdentity& identity, std::string_view again) {
    return std::string(kBegin) + hex(base::hash64(text_of(identity) + std::string(again))) +
           hex32(base::hash64(identity.board + '\n' + identity.life)) + hex32(identity.content.low);
}

bool is_import_key(std::string_view text) {
    return text.starts_with(kBegin) && text.size() == kBegin.size() + kDigits &&
           text.find_first_not_of("0123456789abcdef", kBegin.size()) == std::string_view::npos;
}

bool has_other_content(std::string_view key, std::string_view other) {
    return is_import_key(key) && is_import_key(other) && part_of(key, 2) == part_of(other, 2) &&
           part_of(key, 1) != part_of(other, 1);
}

std::string new_again_word(const ImportIdentity& identity) {
    const std::string random = hex32(base::SystemRandom().next());
    return random + check_of(random, identity);
}

bool is_again_word(std::string_view word, const ImportIdentity& identity) {
    return word.size() == 2 * kPart &&
           word.substr(kPart) == check_of(word.substr(0, kPart), identity);
}

}  // namespace standings::cli
