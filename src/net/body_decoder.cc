#include "net/body_decoder.h"

#include <algorithm>

namespace standings::net {
namespace {

int hex_value(unsigned char byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

bool is_text(unsigned char byte) {
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

void BodyDecoder::start_chunked() {
    state_ = State::kSizeStart;
    extension_bytes_ = 0;
    spare_bytes_ = 0;
}

BodyDecoder::Step BodyDecoder::next(std::string_view input, std::size_t& consumed,
                                    std::string_view& piece) {
    consumed = 0;
    for (;;) {
        if (state_ == State::kDone) return Step::kEnd;
        if (state_ == State::kBad) return Step::kBad;
        if (consumed == input.size()) return Step::kNeedMore;

        if (state_ == State::kSized || state_ == State::kData) {
            const auto length = static_cast<std::size_t>(
                std::min<std::uint64_t>(remaining_, input.size() - consumed));
            piece = input.substr(consumed, length);
            consumed += length;
            remaining_ -= length;
            if (remaining_ == 0) {
                state_ = state_ == State::kSized ? State::kDone : State::kDataCr;
            }
            return Step::kPiece;
        }
        if (!take(static_cast<unsigned char>(input[consumed++]))) state_ = State::kBad;
    }
}

bool BodyDecoder::spend(std::uint32_t& used, std::uint32_t limit) {
    return ++used <= limit && ++spare_bytes_ <= kMaxSpareBytes;
}

bool BodyDecoder::take(unsigned char byte) {
    switch (state_) {
        case State::kSizeStart: {
            const int digit = hex_value(byte);
            if (digit < 0) return false;
            remaining_ = static_cast<std::uint64_t>(digit);
            digits_ = 1;
            extension_bytes_ = 0;
            state_ = State::kSize;
            return true;
        }
        case State::kSize: {
            if (byte == '\r') return state_ = State::kSizeLf, true;
            if (byte == ';') return state_ = State::kExtension, true;
            const int digit = hex_value(byte);
            if (digit < 0 || ++digits_ > kMaxSizeDigits) return false;
            remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
            return true;
        }
        case State::kExtension:
            if (byte == '\r') return state_ = State::kSizeLf, true;
            return is_text(byte) && spend(extension_bytes_, kMaxExtensionBytes);
        case State::kSizeLf:
            state_ = remaining_ == 0 ? State::kTrailerStart : State::kData;
            return byte == '\n';
        case State::kDataCr:
            state_ = State::kDataLf;
            return byte == '\r';
        case State::kDataLf:
            state_ = State::kSizeStart;
            return byte == '\n';
        case State::kTrailerStart:
            if (byte == '\r') return state_ = State::kLastLf, true;
            state_ = State::kTrailer;
            // A line that begins with white space would be a folded one.
            return byte > 0x20 && byte != 0x7f && byte != ':' && ++spare_bytes_ <= kMaxSpareBytes;
        case State::kTrailer:
            if (byte == '\r') return state_ = State::kTrailerLf, true;
            return is_text(byte) && ++spare_bytes_ <= kMaxSpareBytes;
        case State::kTrailerLf:
            state_ = State::kTrailerStart;
            return byte == '\n';
        case State::kLastLf:
            state_ = State::kDone;
            return byte == '\n';
        case State::kSized:
        case State::kData:
        case State::kDone:
        case State::kBad:
            break;
    }
    return false;
}

}  // namespace standings::net
