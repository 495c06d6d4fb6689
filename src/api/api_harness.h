// What tests of the API's parsers share.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/hosted_board.h"
#include "engine/operation.h"
#include "text/json_document.h"
#include "text/parser_harness.h"

namespace standings::api {

class NoMailbox final : public engine::Mailbox {
  public:
    void deliver(std::vector<std::unique_ptr<engine::Operation>>) override {}
};

class PlainOperation final : public engine::EntryOperation {
  public:
    using EntryOperation::EntryOperation;
    void finished() override {}
};

inline std::shared_ptr<engine::HostedBoard> hosted_board(const ledger::BoardConfig& config = {},
                                                         const std::string& slug = "speedrun") {
    ledger::BoardRecord record;
    record.id = {1};
    record.ranking = {1};
    record.slug = slug;
    record.config = config;
    record.seq = {7};
    return std::make_shared<engine::HostedBoard>(record, 5);
}

}  // namespace standings::api
