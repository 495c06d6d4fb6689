#include "net/fragment_count.h"

#include <algorithm>

namespace standings::net {
namespace {

constexpr unsigned char kLast = 0x80;     // of its message
constexpr unsigned char kControl = 0x08;  // between the frames of a message
constexpr unsigned char kMasked = 0x80;
constexpr unsigned char kLength = 0x7F;
constexpr unsigned char kTwoBytes = 126;
constexpr unsigned char kEightBytes = 127;

}  // namespace

std::size_t FragmentCount::head_size() const {
    const unsigned char length = head_[1] & kLength;
    const std::size_t more = length == kTwoBytes ? 2 : length == kEightBytes ? 8 : 0;
    return 2 + more + ((head_[1] & kMasked) != 0 ? 4 : 0);
}

std::uint64_t FragmentCount::payload_size() const {
    const unsigned char length = head_[1] & kLength;
    if (length < kTwoBytes) return length;
    std::uint64_t size = 0;
    const std::size_t end = length == kTwoBytes ? 4 : 10;
    for (std::size_t i = 2; i < end; ++i) size = size << 8 | head_[i];
    return size;
}

std::size_t FragmentCount::allowed(std::string_view bytes) {
    std::size_t at = 0;
    std::size_t frame = 0;  // where the present one begins
    while (at < bytes.size()) {
        if (unread_ > 0) {
            const std::uint64_t skipped = std::min<std::uint64_t>(unread_, bytes.size() - at);
            unread_ -= skipped;
            at += static_cast<std::size_t>(skipped);
            continue;
        }
        if (read_ == 0) frame = at;
        head_[read_++] = static_cast<unsigned char>(bytes[at++]);
        if (read_ < 2 || read_ < head_size()) continue;
        read_ = 0;
        unread_ = payload_size();
        if ((head_[0] & kControl) != 0) continue;
        if (++frames_ > most_) return frame;
        if ((head_[0] & kLast) != 0) frames_ = 0;
    }
    return bytes.size();
}

}  // namespace standings::net
