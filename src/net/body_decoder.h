// Takes the framing off a request body: a known length, or the chunked coding. Keeps no bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace standings::net {

// Strict: CRLF only, no white space around a chunk's size, extensions and trailers read past and
// bounded, because two readings of one body are how requests are smuggled. Every call consumes all
// input up to the end of the next piece or of the body, so the caller never keeps body bytes.
class BodyDecoder {
  public:
    enum class Step : std::uint8_t { kNeedMore, kPiece, kEnd, kBad };

    void start_empty() { state_ = State::kDone; }
    void start_sized(std::uint64_t bytes) {
        remaining_ = bytes;
        state_ = bytes == 0 ? State::kDone : State::kSized;
    }
    void start_chunked();

    // `consumed` is how much of `input` is used up; `piece` is a part of `input`, after kPiece.
    Step next(std::string_view input, std::size_t& consumed, std::string_view& piece);

  private:
    static constexpr unsigned kMaxSizeDigits = 15;
    static constexpr std::uint32_t kMaxExtensionBytes = 256;    // of one chunk
    static constexpr std::uint32_t kMaxSpareBytes = 16 * 1024;  // extensions and trailers in all

    enum class State : std::uint8_t {
        kSized,
        kSizeStart,
        kSize,
        kExtension,
        kSizeLf,
        kData,
        kDataCr,
        kDataLf,
        kTrailerStart,
        kTrailer,
        kTrailerLf,
        kLastLf,
        kDone,
        kBad,
    };

    // One byte of framing. False when it is not allowed here.
    bool take(unsigned char byte);
    bool spend(std::uint32_t& used, std::uint32_t limit);

    std::uint64_t remaining_ = 0;
    std::uint32_t extension_bytes_ = 0;
    std::uint32_t spare_bytes_ = 0;
    std::uint8_t digits_ = 0;
    State state_ = State::kDone;
};

}  // namespace standings::net
