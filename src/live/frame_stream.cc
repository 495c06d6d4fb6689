#include "live/frame_stream.h"

#include "base/check.h"
#include "live/frame_json.h"

namespace standings::live {

void FrameStream::note_read(base::Sequence seq) {
    CHECK(seq >= read_);
    read_ = seq;
}

SharedFrame FrameStream::beat() {
    if (!has_news()) return nullptr;
    note_told();
    std::string json = head("beat");
    append_count(json, "seq", read_.value);
    return make_frame(FrameKind::kBeat, read_, std::move(json));
}

std::string FrameStream::head(std::string_view type) const {
    std::string json = "{";
    text::append_member(json, "view", name_);
    json += ',';
    text::append_member(json, "type", type);
    return json;
}

}  // namespace standings::live
