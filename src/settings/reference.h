// Pages and files about all settings, from the table.
#pragma once

#include <string>
#include <vector>

#include "settings/values.h"

namespace standings::settings {

// docs/settings.md.
std::string reference_page();
// A commented TOML file in which every setting stands at its default.
std::string toml_template();
// The JSON Schema of the TOML file.
std::string json_schema();
// Value and source of each, secrets masked.
std::string show_table(const Values& values);
std::string show_json(const Values& values);
// The items of show_json(), a JSON object each.
std::vector<std::string> show_rows(const Values& values);

}  // namespace standings::settings
