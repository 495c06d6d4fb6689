#include "settings/reference.h"

#include <algorithm>

#include "text/json_writer.h"

namespace standings::settings {
namespace {

constexpr std::string_view kMask = "********";

bool is_quoted(Type type) {
    return type != Type::kCount && type != Type::kFlag;
}

std::string toml_value(const Setting& setting) {
    const std::string text(setting.fallback);
    return is_quoted(setting.type) ? '"' + text + '"' : text;
}

std::string commands_of(const Setting& setting) {
    std::string names;
    const auto add = [&](Commands bit, std::string_view name) {
        if ((setting.commands & bit) != 0) names += (names.empty() ? "" : ", ") + std::string(name);
    };
    add(kServe, "serve");
    add(kDemo, "demo");
    add(kBackup, "backup --data");
    add(kClient, "clients");
    return names;
}

std::string shown(const Setting& setting, const Value& value) {
    if (setting.type != Type::kSecret) return value.text;
    return value.text.empty() ? std::string() : std::string(kMask);
}

std::string_view section_of(std::string_view key) {
    const std::size_t dot = key.find('.');
    return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

std::string_view name_in_section(std::string_view key) {
    return key.substr(key.find('.') + 1);  // npos + 1 is 0
}

void append_schema_property(std::string& out, const Setting& setting, std::string_view name) {
    text::append_key(out, name);
    out += '{';
    text::append_member(out, "description",
                        std::string(setting.help) + " It is " + allowed(setting) + '.');
    switch (setting.type) {
        case Type::kFlag:
            out += ",\"type\":\"boolean\",\"default\":" + std::string(setting.fallback);
            break;
        case Type::kCount:
            out += ",\"type\":\"integer\",\"minimum\":" + std::to_string(setting.least) +
                   ",\"maximum\":" + std::to_string(setting.most) +
                   ",\"default\":" + std::string(setting.fallback);
            break;
        case Type::kChoice:
            out += ",\"enum\":[";
            for (std::size_t i = 0; i < setting.choices.size() && !setting.choices[i].empty();
                 ++i) {
                if (i > 0) out += ',';
                text::append_json_string(out, setting.choices[i]);
            }
            out += "],";
            text::append_member(out, "default", setting.fallback);
            break;
        case Type::kBytes:
            out +=
                ",\"type\":[\"string\",\"integer\"],\"minimum\":" + std::to_string(setting.least) +
                ',';
            text::append_member(out, "pattern", "^[0-9]+ ?([KMGT]i?B|B)?$");
            out += ',';
            text::append_member(out, "default", setting.fallback);
            break;
        case Type::kDuration:
            out += ",\"type\":[\"string\",\"integer\"],\"maximum\":0,";
            text::append_member(out, "pattern", "^(0|[0-9]+ ?(ms|s|m|h|d))$");
            out += ',';
            text::append_member(out, "default", setting.fallback);
            break;
        case Type::kText:
        case Type::kAddress:
        case Type::kPath:
        case Type::kSecret:
            out += ",\"type\":\"string\"";
            if (!setting.fallback.empty()) {
                out += ',';
                text::append_member(out, "default", setting.fallback);
            }
            break;
    }
    out += '}';
    if (setting.type != Type::kSecret) return;
    out += ',';
    text::append_key(out, file_variant(name, "_file"));
    out += "{\"type\":\"string\",";
    text::append_member(out, "description", "File that holds the value of " + std::string(name));
    out += '}';
}

}  // namespace

std::string reference_page() {
    std::string page =
        "# Settings\n\n"
        "A flag comes before the environment, the environment before the file, the file\n"
        "before the default. `standings config show` says what holds and where it came from (`-o`\n"
        "as of [other lists](cli.md#output)); `config init` writes a file with all defaults; "
        "`config check [FILE]` says `ok`, or\n"
        "everything that is wrong with the file, the environment and its flags (exit 2),\n"
        "without a start; `config schema` gives editors the file's JSON Schema. A command\n"
        "looks only at the settings that it uses.\n\n"
        "The file is TOML: the one that `--config` or `STANDINGS_CONFIG` names, or else, for\n"
        "`serve`, `demo`, `backup --data`, `check` and `restore`, `standings.toml` in the working "
        "directory if\n"
        "there is one. The settings of clients hold only in a file that is named, so that no\n"
        "file that lies about decides where a key is sent; `config show` says so, too. Whole\n"
        "numbers, `true` and `false` stand there without quotes; texts, times and sizes with\n"
        "a unit have them. An unknown key is an error; an unknown `STANDINGS_` variable is a\n"
        "warning in the log, an empty one counts as not set.\n\n"
        "Sizes are bytes, or have a unit: `KB MB GB TB` of 1000, `KiB MiB GiB TiB` of 1024. Times "
        "have one\nof `ms s m h d`. A secret can be kept in a file of its own: the flag with "
        "`-file`, the variable\nwith `_FILE`, the key with `_file` behind it.\n";
    for (const Group& group : kGroups) {
        page += "\n## " + std::string(group.title) + "\n\n";
        page += "| key | flag, variable | default | allowed | what it does | for |\n";
        page += "|---|---|---|---|---|---|\n";
        for (std::size_t i = group.first; i < group.first + group.count; ++i) {
            const Setting& setting = kTable[i];
            const std::string fallback =
                setting.fallback.empty() ? "" : '`' + std::string(setting.fallback) + '`';
            page += "| `" + std::string(setting.key) + "` | `" + std::string(setting.flag) + "` `" +
                    std::string(setting.environment) + "` | " + fallback + " | " +
                    allowed(setting) + " | " + std::string(setting.help) + " | " +
                    commands_of(setting) + " |\n";
        }
    }
    return page;
}

std::string toml_template() {
    std::string out =
        "# Settings of Standings. Every line that is commented out shows the default.\n"
        "# A flag or an environment variable comes before what stands here.\n";
    std::string_view section;
    for (const Setting& setting : kTable) {
        if (section_of(setting.key) != section) {
            section = section_of(setting.key);
            out += "\n[" + std::string(section) + "]\n";
        }
        out += "\n# " + std::string(setting.help) + "\n# It is " + allowed(setting) + ".\n";
        // A secret has no default, and its file is the better place.
        const std::string name(name_in_section(setting.key));
        out += setting.type == Type::kSecret ? '#' + name + "_file = \"/path/to/file\"\n"
                                             : '#' + name + " = " + toml_value(setting) + '\n';
    }
    return out;
}

std::string json_schema() {
    std::string out = "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",";
    text::append_member(out, "title", "Settings of Standings");
    out += ",\"type\":\"object\",\"additionalProperties\":false,\"properties\":{";
    std::string_view section;
    bool first = true;
    for (const Setting& setting : kTable) {
        if (section_of(setting.key) != section) {
            if (!section.empty()) out += "}}";
            section = section_of(setting.key);
            out += ',';
            text::append_key(out, section);
            out += "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{";
            first = true;
        }
        if (!first) out += ',';
        first = false;
        append_schema_property(out, setting, name_in_section(setting.key));
    }
    return out + "}}}}\n";
}

std::string show_table(const Values& values) {
    std::size_t key_width = 0;
    std::size_t value_width = 0;
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        key_width = std::max(key_width, kTable[i].key.size());
        value_width = std::max(value_width, shown(kTable[i], values.at(i).value).size());
    }
    std::string out;
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        std::string line(kTable[i].key);
        line.resize(key_width + 2, ' ');
        line += shown(kTable[i], values.at(i).value);
        line.resize(key_width + value_width + 4, ' ');
        out += line + values.at(i).where + '\n';
    }
    return out;
}

std::vector<std::string> show_rows(const Values& values) {
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        const Setting& setting = kTable[i];
        const Settled& settled = values.at(i);
        std::string& row = rows.emplace_back("{");
        text::append_member(row, "key", setting.key);
        row += ',';
        text::append_member(row, "value", shown(setting, settled.value));
        row += ',';
        text::append_member(row, "source", name_of(settled.source));
        row += ',';
        text::append_member(row, "where", settled.where);
        row += ',';
        text::append_member(row, "default", setting.fallback);
        row += '}';
    }
    return rows;
}

std::string show_json(const Values& values) {
    std::string out;
    for (const std::string& row : show_rows(values)) out += (out.empty() ? "[" : ",\n ") + row;
    return out + "]\n";
}

}  // namespace standings::settings
