// How many frames a WebSocket message is sent in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace standings::net {

// Follows the frames of RFC 6455, 5.2, in bytes that come in any pieces, since Beast does not say
// how many a message had; what is no frame at all is for Beast to find. One owner, one thread.
// Cost: a step for each byte of a frame's head.
class FragmentCount {
  public:
    explicit FragmentCount(std::size_t most) : most_(most) {}

    // How many of these bytes come before a frame that its message may not have any more; all of
    // them when there is none. Afterwards nothing is to be asked again.
    std::size_t allowed(std::string_view bytes);

  private:
    std::size_t head_size() const;
    std::uint64_t payload_size() const;

    const std::size_t most_;
    std::size_t frames_ = 0;  // of the present message
    std::array<unsigned char, 14> head_{};
    std::size_t read_ = 0;      // of the present head
    std::uint64_t unread_ = 0;  // of the present payload
};

}  // namespace standings::net
