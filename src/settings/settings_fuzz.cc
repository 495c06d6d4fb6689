// Settings: any bytes as a TOML file, and as the text of each setting in the environment.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "settings/reference.h"
#include "settings/values.h"
#include "text/clean_text.h"
#include "text/json_document.h"

using namespace standings;

namespace {

void report_of(const settings::Values& values) {
    CHECK(!settings::show_table(values).empty());
    text::JsonDocument document;
    CHECK(document.parse(settings::show_json(values)));
}

void as_file(std::string_view text) {
    const int file = memfd_create("settings", MFD_CLOEXEC);
    CHECK(file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    settings::Inputs inputs;
    inputs.config = "/proc/self/fd/" + std::to_string(file);
    const auto values = settings::Values::settle(inputs);
    if (values) {
        report_of(*values);
    } else {
        CHECK(values.error().code == base::ErrorCode::kSettings && !values.error().detail.empty());
        CHECK(text::is_utf8(values.error().detail));
    }
    close(file);
}

void as_value(const settings::Setting& setting, std::string_view text) {
    const auto value = settings::parse_value(setting, text);
    if (!value) return CHECK(!value.error().detail.empty());
    const bool is_size = setting.type == settings::Type::kBytes;
    if (!is_size && setting.type != settings::Type::kDuration) return;
    CHECK(value->number >= setting.least && value->number <= setting.most);
    const auto again =
        settings::parse_value(setting, is_size ? settings::write_bytes(value->number)
                                               : settings::write_duration(value->number));
    CHECK(again && again->number == value->number);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    as_file(text);
    for (const settings::Setting& setting : settings::kTable) as_value(setting, text);
    return 0;
}
