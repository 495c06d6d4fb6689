#include "text/json_document.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>
#include <functional>
#include <optional>

#include "text/json_writer.h"

namespace standings::text {

using base::Error;
using base::ErrorCode;
using base::Result;

// Takes the parser's events and lays out nodes. Strings that stand in the text as they are meant
// are not copied.
class JsonBuilder {
  public:
    using error_code = boost::system::error_code;
    // Bounds the search for duplicates, too.
    static constexpr std::size_t max_object_size = 256;
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    void reset(JsonDocument& document, std::string_view text) {
        document_ = &document;
        text_ = text;
        open_.clear();
        partial_.clear();
        key_ = {};
        duplicate_.reset();
    }
    const std::optional<std::string>& duplicate() const { return duplicate_; }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return open(JsonNode::Kind::kObject); }
    bool on_array_begin(error_code&) { return open(JsonNode::Kind::kArray); }
    bool on_object_end(std::size_t, error_code&) { return close(); }
    bool on_array_end(std::size_t, error_code&) { return close(); }

    bool on_key_part(std::string_view piece, std::size_t, error_code&) { return part(piece); }
    bool on_key(std::string_view piece, std::size_t, error_code& failure) {
        key_ = whole(piece);
        const Open& object = open_.back();
        for (auto at = nodes()[object.index].first; at != 0; at = nodes()[at].next) {
            if (nodes()[at].key != key_) continue;
            duplicate_ = std::string(key_);
            failure = boost::json::error::exception;
            return false;
        }
        return true;
    }
    bool on_string_part(std::string_view piece, std::size_t, error_code&) { return part(piece); }
    bool on_string(std::string_view piece, std::size_t, error_code&) {
        add(JsonNode::Kind::kString).text = whole(piece);
        return true;
    }
    bool on_number_part(std::string_view piece, error_code&) { return part(piece); }
    bool on_int64(std::int64_t, std::string_view piece, error_code&) { return number(piece); }
    bool on_uint64(std::uint64_t, std::string_view piece, error_code&) { return number(piece); }
    bool on_double(double, std::string_view piece, error_code&) { return number(piece); }
    bool on_bool(bool value, error_code&) {
        add(JsonNode::Kind::kBool).boolean = value;
        return true;
    }
    bool on_null(error_code&) {
        add(JsonNode::Kind::kNull);
        return true;
    }
    bool on_comment_part(std::string_view, error_code&) { return true; }
    bool on_comment(std::string_view, error_code&) { return true; }

  private:
    struct Open {
        std::uint32_t index;
        std::uint32_t last_child;
    };

    std::vector<JsonNode>& nodes() { return document_->nodes_; }

    JsonNode& add(JsonNode::Kind kind) {
        const auto index = static_cast<std::uint32_t>(nodes().size());
        JsonNode& node = nodes().emplace_back();
        node.kind = kind;
        if (open_.empty()) return node;
        Open& parent = open_.back();
        if (parent.last_child == 0) {
            nodes()[parent.index].first = index;
        } else {
            nodes()[parent.last_child].next = index;
        }
        parent.last_child = index;
        ++nodes()[parent.index].size;
        if (nodes()[parent.index].kind == JsonNode::Kind::kObject) node.key = key_;
        return node;
    }
    bool open(JsonNode::Kind kind) {
        add(kind);
        open_.push_back({static_cast<std::uint32_t>(nodes().size() - 1), 0});
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }
    bool number(std::string_view piece) {
        add(JsonNode::Kind::kNumber).text = whole(piece);
        return true;
    }
    bool part(std::string_view piece) {
        partial_ += piece;
        return true;
    }
    // A piece with escapes lies in a buffer of the parser that is gone when parse() returns.
    bool is_of_text(std::string_view piece) const {
        const std::less_equal<const char*> not_behind;
        return not_behind(text_.data(), piece.data()) &&
               not_behind(piece.data() + piece.size(), text_.data() + text_.size());
    }
    std::string_view whole(std::string_view last_piece) {
        if (partial_.empty() && is_of_text(last_piece)) return last_piece;
        partial_ += last_piece;
        document_->unescaped_.push_back(std::move(partial_));
        partial_.clear();
        return document_->unescaped_.back();
    }

    JsonDocument* document_ = nullptr;
    std::string_view text_;
    std::vector<Open> open_;
    std::string partial_;
    std::string_view key_;
    std::optional<std::string> duplicate_;
};

namespace {

boost::json::parse_options parse_options(std::size_t max_depth) {
    boost::json::parse_options options;
    options.max_depth = max_depth;
    return options;
}

Error malformed(const boost::system::error_code& failure, std::size_t at, std::size_t max_depth) {
    if (failure == boost::json::error::too_deep) {
        return {ErrorCode::kMalformed,
                "The JSON is nested deeper than " + std::to_string(max_depth) + " levels."};
    }
    if (failure == boost::json::error::object_too_large) {
        return {ErrorCode::kMalformed, "A JSON object has more than 256 members."};
    }
    if (failure == boost::json::error::exponent_overflow) {
        return {ErrorCode::kInvalid, "A number in the JSON is larger than any score can be."};
    }
    if (failure == boost::json::error::incomplete) {
        return {ErrorCode::kMalformed, "The JSON ends too early."};
    }
    return {ErrorCode::kMalformed,
            "This is not JSON: " + failure.message() + " at byte " + std::to_string(at) + "."};
}

}  // namespace

Result<const JsonNode*> JsonDocument::parse(std::string_view text) {
    // One parser per thread: it keeps its stack between documents.
    // Documents of one thread have one depth, so it is hardly ever made anew.
    thread_local std::size_t depth = max_depth_;
    thread_local std::optional<boost::json::basic_parser<JsonBuilder>> kept(parse_options(depth));
    if (depth != max_depth_) kept.emplace(parse_options(depth = max_depth_));
    auto& parser = *kept;
    nodes_.clear();
    unescaped_.clear();
    // Index 0 is the root, and never anybody's child: so 0 can mean "none".
    parser.reset();
    parser.handler().reset(*this, text);

    boost::system::error_code failure;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), failure);
    if (parser.handler().duplicate()) {
        return Error{ErrorCode::kMalformed,
                     "The member '" + *parser.handler().duplicate() + "' stands there twice."};
    }
    if (failure) return malformed(failure, read, max_depth_);
    if (read != text.size()) {
        return Error{ErrorCode::kMalformed, "There is more text behind the JSON value, from byte " +
                                                std::to_string(read) + " on."};
    }
    return &nodes_[0];
}

const JsonNode* JsonDocument::member(const JsonNode& object, std::string_view key) const {
    for (auto at = object.first; at != 0; at = nodes_[at].next) {
        if (nodes_[at].key == key) return &nodes_[at];
    }
    return nullptr;
}

void JsonDocument::write(const JsonNode& node, std::string& out) const {
    switch (node.kind) {
        case JsonNode::Kind::kNull:
            out += "null";
            return;
        case JsonNode::Kind::kBool:
            out += node.boolean ? "true" : "false";
            return;
        case JsonNode::Kind::kNumber:
            out += node.text;
            return;
        case JsonNode::Kind::kString:
            append_json_string(out, node.text);
            return;
        case JsonNode::Kind::kArray:
        case JsonNode::Kind::kObject:
            break;
    }
    const bool object = node.is_object();
    out += object ? '{' : '[';
    bool first = true;
    for_each(node, [&](const JsonNode& child) {
        if (!first) out += ',';
        first = false;
        if (object) {
            append_json_string(out, child.key);
            out += ':';
        }
        write(child, out);
    });
    out += object ? '}' : ']';
}

}  // namespace standings::text
