#include "cli/watch/event_reader.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace standings::cli {

bool EventReader::feed(std::string_view bytes, const Take& take) {
    while (!bytes.empty()) {
        if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const std::size_t end = bytes.find_first_of("\r\n");
        const std::string_view piece = bytes.substr(0, end);
        size_ += piece.size();
        if (size_ > kMaxEvent) return false;
        line_ += piece;
        if (end == std::string_view::npos) return true;
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        if (!end_line(take)) return false;
    }
    return true;
}

bool EventReader::end_line(const Take& take) {
    if (!line_.empty()) {
        read_field();
        line_.clear();
        return true;
    }
    size_ = 0;
    const ServerEvent event = std::exchange(event_, {});
    return !std::exchange(is_begun_, false) || take(event);
}

void EventReader::read_field() {
    const std::string_view line = line_;
    const std::size_t colon = std::min(line.find(':'), line.size());
    if (colon == 0) return;  // a comment
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "event") {
        event_.name = value;
    } else if (name == "data") {
        if (event_.data) {
            *event_.data += '\n';
            *event_.data += value;
        } else {
            event_.data = value;
        }
    } else if (name == "id") {
        if (value.find('\0') == std::string_view::npos) event_.id = value;
    } else if (name == "retry") {
        std::uint32_t number = 0;
        const char* const end = value.data() + value.size();
        const auto [at, failure] = std::from_chars(value.data(), end, number);
        if (failure == std::errc{} && at == end) event_.retry = std::chrono::milliseconds(number);
    } else {
        return;
    }
    is_begun_ = true;
}

}  // namespace standings::cli
