#include "live/feed_stream.h"

#include <algorithm>
#include <utility>

#include "live/frame_json.h"

namespace standings::live {

FeedStream::FeedStream(std::string name, std::string epoch, std::size_t size, Reading first)
    : FrameStream(std::move(name), std::move(epoch), first.seq),
      size_(size),
      items_(std::move(first.items)),
      known_since_(first.known_since),
      told_(first.seq) {}

SharedFrame FeedStream::publish(Reading next) {
    note_read(next.seq);
    items_ = std::move(next.items);
    known_since_ = next.known_since;
    snapshot_.reset();
    const bool has_new = !items_.empty() && items_.back().seq > told_;
    if (!has_new && known_since_ <= told_) return nullptr;
    const base::Sequence before = std::exchange(told_, read());
    return delta(before);
}

void FeedStream::note_told() {
    told_ = read();
    snapshot_.reset();
}

const SharedFrame& FeedStream::snapshot() {
    if (snapshot_) return snapshot_;
    std::string json = head("snapshot");
    json += ',';
    text::append_member(json, "epoch", epoch());
    append_count(json, "seq", told_.value);
    {
        JsonArray items(json, "items");
        const std::size_t first = items_.size() - std::min(size_, items_.size());
        for (std::size_t i = first; i < items_.size(); ++i) items.item() += items_[i].json;
    }
    snapshot_ = make_frame(FrameKind::kSnapshot, told_, std::move(json));
    return snapshot_;
}

std::optional<FrameStream::Resumed> FeedStream::resume(base::Sequence since) const {
    if (since > told_ || since < known_since_) return std::nullopt;
    if (since == told_) return Resumed{};
    return Resumed{delta(since)};
}

SharedFrame FeedStream::delta(base::Sequence since) const {
    std::string json = head("delta");
    append_count(json, "prev", since.value);
    append_count(json, "seq", told_.value);
    if (since < known_since_) json += ",\"gap\":true";
    {
        JsonArray items(json, "items");
        for (const Item& item : items_) {
            if (item.seq > since) items.item() += item.json;
        }
    }
    return make_frame(FrameKind::kDelta, told_, std::move(json));
}

}  // namespace standings::live
