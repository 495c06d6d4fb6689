#include "settings/values.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "settings/text_file.h"
#include "settings/toml_file.h"

namespace standings::settings {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::string_view kDefaultFile = "standings.toml";
constexpr std::string_view kPrefix = "STANDINGS_";
constexpr std::string_view kConfigVariable = "STANDINGS_CONFIG";

// Of tests and tools, or of the program around a secret: no settings.
bool is_foreign(std::string_view name) {
    constexpr std::string_view kForeign[] = {"STANDINGS_SEED", "STANDINGS_LOAD"};
    return name.starts_with("STANDINGS_TEST_") || name.starts_with("STANDINGS_PROGRAM") ||
           std::find(std::begin(kForeign), std::end(kForeign), name) != std::end(kForeign);
}

std::vector<std::string_view> known_names(std::string_view Setting::*member) {
    std::vector<std::string_view> names;
    for (const Setting& setting : kTable) names.push_back(setting.*member);
    return names;
}

// The end of a sentence about a key that is unknown.
std::string nearest_key(const std::string& key) {
    // Right but for its table.
    const std::string_view name = std::string_view(key).substr(key.rfind('.') + 1);
    if (find_key(name)) {
        return "; did you mean '" + std::string(name) + "', above all [tables] of the file?";
    }
    return did_you_mean(key, known_names(&Setting::key));
}

// Whether a value of the file is written as the setting is. The schema says the same.
bool fits(FileValue::Kind kind, Type type, std::string_view text) {
    using Kind = FileValue::Kind;
    switch (type) {
        case Type::kCount:
            return kind == Kind::kWhole;
        case Type::kFlag:
            return kind == Kind::kTruth;
        case Type::kBytes:
            return kind == Kind::kText || kind == Kind::kWhole;
        case Type::kDuration:
            return kind == Kind::kText || (kind == Kind::kWhole && text == "0");
        case Type::kText:
        case Type::kAddress:
        case Type::kPath:
        case Type::kChoice:
        case Type::kSecret:
            return kind == Kind::kText;
    }
    return false;
}

// "the text '4'"
std::string named(const FileValue& value, const Setting& setting) {
    constexpr std::array<std::string_view, 6> kKinds = {
        "the text", "the number", "the truth value", "a number with decimals", "a time", "a list"};
    if (value.kind == FileValue::Kind::kText && value.text.empty()) return "an empty text";
    std::string name(kKinds[static_cast<std::size_t>(value.kind)]);
    if (value.text.empty()) return name;
    if (setting.type == Type::kSecret) return name + " ***";
    return name +
           (value.kind == FileValue::Kind::kText ? " '" + value.text + "'" : ' ' + value.text);
}

// How the file writes one.
std::string how_written(Type type) {
    return type == Type::kCount || type == Type::kFlag ? ", without quotes" : ", in quotes";
}

Result<std::string> read_secret(const std::string& path) {
    auto text = read_text_file(path);
    if (!text) return Error{ErrorCode::kSettings, "names '" + path + "', which cannot be read"};
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    return *std::move(text);
}

}  // namespace

std::string_view name_of(Source source) {
    constexpr std::array<std::string_view, 4> kNames = {"default", "file", "environment", "flag"};
    return kNames[static_cast<std::size_t>(source)];
}

std::string file_variant(std::string_view key_or_environment, std::string_view suffix) {
    return std::string(key_or_environment) + std::string(suffix);
}

Environment process_environment() {
    Environment environment;
    for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
        const std::string_view entry = *at;
        const std::size_t equals = entry.find('=');
        if (equals == std::string_view::npos) continue;
        environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return environment;
}

// Puts the sources together, lowest first. Lives for one call of settle().
class Settler {
  public:
    explicit Settler(const Inputs& inputs) : inputs_(inputs) {}

    Values run(std::vector<std::string>& problems) {
        take_defaults();
        take_file();
        take_environment();
        for (const Flag& flag : inputs_.flags) {
            const Setting& setting = kTable[flag.index];
            const std::string name = std::string(setting.flag) + (flag.file ? "-file" : "");
            take(flag.index, flag.text, Source::kFlag, name, flag.file);
        }
        problems = std::move(problems_);
        return std::move(values_);
    }

  private:
    void take_defaults() {
        for (std::size_t i = 0; i < kTable.size(); ++i) {
            const auto value = parse_value(kTable[i], kTable[i].fallback);
            CHECK(value);
            values_.all_[i] = {*value, Source::kDefault, "default"};
        }
        // systemd's StateDirectory= comes before the default, and after what is said on purpose. It
        // may name several folders.
        const auto state = inputs_.environment.find("STATE_DIRECTORY");
        if (state == inputs_.environment.end()) return;
        const std::string first = state->second.substr(0, state->second.find(':'));
        if (first.empty()) return;
        values_.all_[*find_key("data")] = {{first, 0}, Source::kEnvironment, "STATE_DIRECTORY"};
    }

    void take(std::size_t index, const std::string& text, Source source, const std::string& where,
              bool is_file) {
        if (!inputs_.used.test(index)) return;
        const Setting& setting = kTable[index];
        const bool secret = setting.type == Type::kSecret;
        std::string content = text;
        if (is_file) {
            auto read = read_secret(text);
            if (!read) return problems_.push_back(where + " " + read.error().detail);
            content = *std::move(read);
        }
        auto value = parse_value(setting, content);
        if (!value) {
            // A secret is a text, which is never wrong here; so nothing secret is shown.
            problems_.push_back(where + (source == Source::kFile ? ": " : " is ") +
                                (source == Source::kFile ? std::string(setting.key) + " is " : "") +
                                "'" + content + "', but " + value.error().detail);
            return;
        }
        Settled& settled = values_.all_[index];
        if (secret && settled.source == source && source != Source::kDefault) {
            problems_.push_back("set either " + settled.where + " or " + where + ", not both");
            return;
        }
        settled = {*std::move(value), source, where};
    }

    void take_file() {
        std::string path;
        if (inputs_.config) {
            path = *inputs_.config;
        } else if (const auto named = inputs_.environment.find(kConfigVariable);
                   named != inputs_.environment.end() && !named->second.empty()) {
            path = named->second;
        } else if (inputs_.look_in_working_directory &&
                   ::access(std::string(kDefaultFile).c_str(), F_OK) == 0) {
            path = kDefaultFile;
            file_is_named_ = false;
        }
        if (path.empty()) return;
        values_.file_ = path;
        const auto values = read_toml(path);
        if (!values) return problems_.push_back(values.error().detail);
        for (const FileValue& value : *values) take_file_value(value);
    }

    void take_file_value(const FileValue& value) {
        std::string key = value.key;
        auto index = find_key(key);
        bool is_file = false;
        if (!index && key.ends_with("_file")) {
            index = find_key(std::string_view(key).substr(0, key.size() - 5));
            is_file = index && kTable[*index].type == Type::kSecret;
            if (!is_file) index.reset();
        }
        if (!index) {
            problems_.push_back(value.where + ": there is no setting '" + key + "'" +
                                nearest_key(key));
            return;
        }
        if (!inputs_.used.test(*index)) return;
        if (!fits(value.kind, kTable[*index].type, value.text)) {
            problems_.push_back(value.where + ": " + key + " is " + named(value, kTable[*index]) +
                                ", but it is " + allowed(kTable[*index]) +
                                how_written(kTable[*index].type));
            return;
        }
        if (kTable[*index].commands == kClient && !file_is_named_) {
            values_.warnings_.push_back(
                value.where + ": " + key +
                " does not hold: a file that is not named decides nothing about clients. Name it "
                "with --config or STANDINGS_CONFIG, or set " +
                std::string(kTable[*index].environment));
            return;
        }
        take(*index, value.text, Source::kFile, value.where, is_file);
    }

    void take_environment() {
        for (const auto& [name, text] : inputs_.environment) {
            if (!name.starts_with(kPrefix) || name == kConfigVariable) continue;
            // As composers of containers pass on what nobody has set.
            if (text.empty()) continue;
            bool is_file = false;
            const auto is_named = [&, wanted = std::string_view(name)](const Setting& setting) {
                if (setting.environment == wanted) return true;
                is_file = setting.type == Type::kSecret && wanted.ends_with("_FILE") &&
                          wanted.substr(0, wanted.size() - 5) == setting.environment;
                return is_file;
            };
            const auto found = std::find_if(kTable.begin(), kTable.end(), is_named);
            if (found != kTable.end()) {
                const auto index = static_cast<std::size_t>(found - kTable.begin());
                take(index, text, Source::kEnvironment, name, is_file);
            } else if (!is_foreign(name)) {
                values_.warnings_.push_back("the environment variable " + name +
                                            " is not a setting" +
                                            did_you_mean(name, known_names(&Setting::environment)));
            }
        }
    }

    const Inputs& inputs_;
    Values values_;
    bool file_is_named_ = true;
    std::vector<std::string> problems_;
};

Result<Values> Values::settle(const Inputs& inputs) {
    std::vector<std::string> problems;
    Values values = settle(inputs, problems);
    if (problems.empty()) return values;
    std::string all;
    for (const std::string& problem : problems) all += (all.empty() ? "" : "\n") + problem;
    return Error{ErrorCode::kSettings, all};
}

Values Values::settle(const Inputs& inputs, std::vector<std::string>& problems) {
    return Settler(inputs).run(problems);
}

}  // namespace standings::settings
