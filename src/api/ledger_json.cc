#include "api/ledger_json.h"

#include "api/standings_json.h"
#include "base/clock.h"
#include "ledger/take_back.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using ledger::Event;
using ledger::EventKind;

std::string_view kind_name(EventKind kind) {
    switch (kind) {
        case EventKind::kSubmit:
            return "submit";
        case EventKind::kSet:
            return "set";
        case EventKind::kRemove:
            return "remove";
        case EventKind::kDetails:
            return "details";
        case EventKind::kTakenBack:
            return "taken_back";
        default:
            return "";
    }
}

void append_time(std::string& out, std::string_view key, base::Instant at) {
    out += ',';
    text::append_key(out, key);
    out += '"';
    base::append_rfc3339(out, at);
    out += '"';
}

void append_object(std::string& out, std::string_view key, const ledger::BoardConfig& config,
                   const ranking::Scores& scores) {
    out += ',';
    text::append_key(out, key);
    out += '{';
    append_scores(out, config, scores);
    out += '}';
}

void append_item(std::string& out, const ledger::BoardConfig& config,
                 const engine::LedgerItem& item) {
    const Event& event = item.event;
    out += "{\"seq\":";
    text::append_number(out, event.seq.value);
    out += ",\"kind\":\"";
    out += kind_name(event.kind);
    out += "\",\"outcome\":\"";
    out += outcome_name(event.outcome);
    out += '"';
    if (!item.player.empty()) {
        out += ',';
        text::append_member(out, "player", item.player);
    }
    if (item.name) {
        out += ',';
        text::append_member(out, "name", *item.name);
    }
    if (event.kind == EventKind::kSubmit || event.kind == EventKind::kSet) {
        out += ',';
        append_scores(out, config, event.input);
    }
    if (event.kind == EventKind::kTakenBack) {
        const ledger::TakeBack back = ledger::take_back_of(event);
        out += back.onwards ? ",\"takes_back_from\":" : ",\"takes_back\":";
        text::append_number(out, back.seq.value);
    }
    if (!ledger::removes_entry(event)) append_object(out, "result", config, event.result);
    if (event.had_entry) append_object(out, "previous", config, event.previous);
    const bool timed = event.kind == EventKind::kSubmit || event.kind == EventKind::kSet;
    if (timed && event.occurred_at != base::kNever) {
        append_time(out, "occurred_at", event.occurred_at);
    }
    append_time(out, "at", event.at);
    if (item.taken_back) out += ",\"taken_back\":true";
    out += '}';
}

// "board":"speedrun","epoch":"k3","seq":90412
void append_head(std::string& out, std::string_view board, std::string_view epoch,
                 base::Sequence seq) {
    out += "{\"board\":\"";
    out += board;
    out += "\",\"epoch\":\"";
    out += epoch;
    out += "\",\"seq\":";
    text::append_number(out, seq.value);
}

}  // namespace

void append_ledger_page(std::string& out, std::string_view board, std::string_view epoch,
                        const engine::LedgerPage& page) {
    append_head(out, board, epoch, page.board_seq);
    out += ",\"items\":[";
    for (std::size_t i = 0; i < page.items.size(); ++i) {
        if (i > 0) out += ',';
        append_item(out, *page.config, page.items[i]);
    }
    out += ']';
    if (page.next) {
        out += ',';
        text::append_member(out, "next_cursor", std::to_string(page.next->value));
    }
    out += "}\n";
}

void append_history(std::string& out, std::string_view board, std::string_view epoch,
                    const engine::History& history) {
    append_head(out, board, epoch, history.board_seq);
    out += ',';
    text::append_member(out, "player", history.player);
    out += history.complete ? ",\"complete\":true" : ",\"complete\":false";
    out += ",\"items\":[";
    bool first = true;
    for (const engine::HistoryPoint& point : history.points) {
        if (!first) out += ',';
        first = false;
        out += "{\"seq\":";
        text::append_number(out, point.seq.value);
        append_time(out, "at", point.at);
        out += ',';
        append_scores(out, *history.config, point.scores);
        out += ",\"outcome\":\"";
        out += outcome_name(point.outcome);
        out += "\",\"rank_now\":";
        text::append_number(out, point.rank_now.value);
        out += '}';
    }
    out += "]}\n";
}

}  // namespace standings::api
