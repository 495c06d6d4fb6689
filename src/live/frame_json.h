// Frames as JSON, piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "live/frame.h"
#include "text/json_writer.h"

namespace standings::live {

// A member that is an array, from here to the end of the scope.
class JsonArray {
  public:
    JsonArray(std::string& out, std::string_view key) : out_(out) {
        out_ += ',';
        text::append_key(out_, key);
        out_ += '[';
    }
    ~JsonArray() { out_ += ']'; }
    JsonArray(const JsonArray&) = delete;
    JsonArray& operator=(const JsonArray&) = delete;

    // Where to append the next item.
    std::string& item() {
        if (!std::exchange(is_first_, false)) out_ += ',';
        return out_;
    }

  private:
    std::string& out_;
    bool is_first_ = true;
};

inline void append_count(std::string& out, std::string_view key, std::uint64_t count) {
    out += ',';
    text::append_key(out, key);
    text::append_number(out, count);
}

// `json` is still open.
inline SharedFrame make_frame(FrameKind kind, base::Sequence seq, std::string json) {
    json += '}';
    return std::make_shared<const Frame>(Frame{kind, seq, std::move(json)});
}

}  // namespace standings::live
