#include "message.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <boost/json.hpp>
#include <boost/json/src.hpp>
#include <utility>

namespace load {
namespace {

namespace json = boost::json;

std::uint64_t number_in(const json::object& object, std::string_view name) {
    return object.at(json::string_view(name.data(), name.size())).to_number<std::uint64_t>();
}

std::string text_in(const json::object& object, std::string_view name) {
    return json::value_to<std::string>(object.at(json::string_view(name.data(), name.size())));
}

std::vector<SharedRow> rows_in(const json::value& rows) {
    std::vector<SharedRow> result;
    for (const json::value& value : rows.as_array()) {
        const json::object& row = value.as_object();
        result.push_back(std::make_shared<const Row>(Row{.player = text_in(row, "player"),
                                                         .rank = number_in(row, "rank"),
                                                         .position = number_in(row, "position"),
                                                         .json = json::serialize(value)}));
    }
    return result;
}

void read_view(const json::object& object, Message& message) {
    const std::string type = text_in(object, "type");
    message.view = text_in(object, "view");
    message.seq = number_in(object, "seq");
    if (type == "beat") {
        message.kind = MessageKind::kBeat;
        return;
    }
    message.total = number_in(object, "total");
    if (type == "snapshot") {
        message.epoch = text_in(object, "epoch");
        message.rows = rows_in(object.at("rows"));
        message.kind = MessageKind::kSnapshot;
    } else if (type == "delta") {
        message.prev = number_in(object, "prev");
        message.rows = rows_in(object.at("upsert"));
        message.leave = json::value_to<std::vector<std::string>>(object.at("leave"));
        message.kind = MessageKind::kDelta;
    }
}

// What is missing or of another kind throws; the message stays unreadable.
void read_object(const json::object& object, Message& message) {
    if (object.contains("id")) {
        message.ok = object.at("ok").as_bool();
        if (object.contains("view")) message.view = text_in(object, "view");
        if (object.contains("recovered")) message.recovered = object.at("recovered").as_bool();
        message.kind = MessageKind::kAnswer;
    } else if (object.contains("view")) {
        read_view(object, message);
    } else if (text_in(object, "type") == "bye") {
        message.retry_after_ms = number_in(object, "retry_after_ms");
        message.kind = MessageKind::kBye;
    } else if (text_in(object, "type") == "event") {
        message.kind = MessageKind::kEvent;
    }
}

}  // namespace

std::size_t Messages::Hash::operator()(std::string_view text) const {
    return XXH3_64bits(text.data(), text.size());
}

SharedMessage Messages::read(std::string_view text) {
    if (const auto found = known_.find(text); found != known_.end()) return found->second;

    auto message = std::make_shared<Message>();
    message->number = next_number_++;
    message->text = text;
    try {
        read_object(json::parse(message->text).as_object(), *message);
    } catch (const std::exception&) {
        message->kind = MessageKind::kUnreadable;
    }
    known_.emplace(message->text, message);
    in_order_.push_back(message);
    bytes_ += message->text.size();
    while (bytes_ > kMostBytes && in_order_.size() > 1) {
        bytes_ -= in_order_.front()->text.size();
        known_.erase(in_order_.front()->text);
        in_order_.pop_front();
    }
    return message;
}

}  // namespace load
