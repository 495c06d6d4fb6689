// Exported standings as text: NDJSON, one JSON object, or CSV (RFC 4180).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/standings_export.h"
#include "ledger/records.h"

namespace standings::api {

enum class ExportFormat : std::uint8_t { kNdjson, kJson, kCsv };

std::string_view export_content_type(ExportFormat format);
std::string_view export_extension(ExportFormat format);

// What stands before the first row, one row, and what stands behind the last.
void append_export_head(std::string& out, ExportFormat format, const ledger::BoardRecord& board,
                        std::string_view epoch, bool with_meta);
void append_export_row(std::string& out, ExportFormat format, const ledger::BoardConfig& config,
                       const engine::ExportedRow& row, bool with_meta);
void append_export_tail(std::string& out, ExportFormat format);

}  // namespace standings::api
