#include "cli/import/rejects.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/output_path.h"
#include "cli/import/import_key.h"
#include "cli/import/refusals.h"
#include "cli/stop_request.h"
#include "text/clean_text.h"
#include "text/json_document.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

constexpr std::string_view kLineBegin = "{\"line\":";
constexpr std::size_t kShortName = 8;

// "0f3a5b6c" of "import-0f3a5b6c...": enough to tell the imports of one file apart.
std::string short_name(std::string_view import) {
    return std::string(import.substr(import.find('-') + 1, kShortName));
}

}  // namespace

base::Result<void> spare_files(const std::string& rejects, const std::string& input) {
    struct stat old {};
    if (::stat(rejects.c_str(), &old) != 0 || !S_ISREG(old.st_mode)) return {};
    struct stat imported {};
    if (::stat(input.c_str(), &imported) == 0 && imported.st_dev == old.st_dev &&
        imported.st_ino == old.st_ino) {
        return base::Error{base::ErrorCode::kSettings,
                           "the rejects would replace '" + rejects +
                               "', which is to be imported; name another file with --rejects"};
    }
    std::ifstream file(rejects, std::ios::binary);
    if (!file) {
        return base::Error{base::ErrorCode::kSettings,
                           "'" + rejects + "' is there already and cannot be read (" +
                               std::strerror(errno) +
                               "): it would be replaced. Name another file with --rejects"};
    }
    std::string begin(kLineBegin.size(), '\0');
    file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
    if (file.gcount() == 0 || begin == kLineBegin) return {};
    return base::Error{base::ErrorCode::kSettings,
                       "'" + rejects +
                           "' is there already and is no file of rejects: it would be replaced. "
                           "Name another file with --rejects, or move it away"};
}

std::string import_of(const std::string& path) {
    struct stat facts {};
    // A pipe would wait for somebody who writes.
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
    std::ifstream file(path, std::ios::binary);
    std::string line;
    if (!std::getline(file, line)) return {};
    text::JsonDocument json;
    const auto row = json.parse(line);
    if (!row || !(*row)->is_object()) return {};
    const text::JsonNode* import = json.member(**row, "import");
    return import != nullptr && is_import_key(import->text) ? std::string(import->text) : "";
}

std::string beside(const std::string& rejects, std::string_view word) {
    constexpr std::string_view kEnding = ".ndjson";
    const bool has_ending = rejects.ends_with(kEnding);
    const std::string begin = rejects.substr(0, rejects.size() - (has_ending ? kEnding.size() : 0));
    return begin + '.' + std::string(word) + std::string(has_ending ? kEnding : "");
}

std::string aside_of(const std::string& rejects, std::string_view import) {
    return beside(rejects, short_name(import));
}

std::string refused_of(const std::string& rejects, std::string_view import) {
    return beside(rejects, "refused-" + short_name(import));
}

Rejects::Rejects(std::string path) : path_(std::move(path)) {
    const auto real = base::replaceable_path(path_);
    if (!real) return;  // no ordinary file: not to be replaced
    path_ = *real;
    // Another import of the same file may run beside this one.
    unfinished_ = path_ + '.' + std::to_string(::getpid()) + ".part";
}

Rejects::~Rejects() {
    // After finish() there is nothing left of this name.
    if (is_file()) ::unlink(unfinished_.c_str());
}

Rejects::File Rejects::new_file() const {
    return File(is_file() ? std::fopen(unfinished_.c_str(), "w+e") : std::tmpfile());
}

base::Error Rejects::failed() const {
    return {base::ErrorCode::kIo,
            "cannot write the rejects to " + path_ + ": " + std::strerror(failure_)};
}

base::Result<void> Rejects::open() {
    if (is_file()) {
        file_ = new_file();
        struct stat earlier {};
        // A failure leaves the mode of any new file.
        if (file_ && ::stat(path_.c_str(), &earlier) == 0) {
            static_cast<void>(::fchmod(::fileno(file_.get()), earlier.st_mode & 07777));
        }
    } else {
        // A pipe waits here for its reader.
        target_.reset(std::fopen(path_.c_str(), "ae"));
        if (target_) file_ = new_file();
    }
    if (file_) return {};
    failure_ = errno;
    base::Error error = failed();
    error.detail += ". Name another file with --rejects";
    return error;
}

void Rejects::add(std::uint64_t line, std::string_view reason, std::string_view row,
                  std::optional<std::uint64_t> record) {
    ++count_;
    if (failure_ != 0) return;
    text_ = kLineBegin;
    text::append_number(text_, line);
    text_ += ',';
    text::append_member(text_, "reason", text::as_utf8(reason));
    text_ += ',';
    text::append_member(text_, "row", text::as_utf8(row));
    if (record) {
        text_ += ",\"record\":";
        text::append_number(text_, *record);
    }
    if (!import_.empty()) {
        text_ += ',';
        text::append_member(text_, "import", import_);
    }
    text_ += "}\n";
    if (std::fwrite(text_.data(), 1, text_.size(), file_.get()) != text_.size()) failure_ = errno;
}

void Rejects::start_over() {
    count_ = 0;
    file_.reset();  // writes what it still holds, so before the new one
    file_ = new_file();
    failure_ = file_ ? 0 : errno;
}

void Rejects::settle() {
    if (failure_ == 0 && std::fflush(file_.get()) != 0) failure_ = errno;
    // What it takes the place of, or makes needless, goes away.
    if (failure_ == 0 && is_file() && count_ > 0 && ::fsync(::fileno(file_.get())) != 0) {
        failure_ = errno;
    }
}

base::Result<void> Rejects::finish() {
    settle();
    if (failure_ == 0) is_file() ? move_into_place() : copy_into_place();
    if (failure_ != 0) return failed();
    return {};
}

void Rejects::move_into_place() {
    const auto named = import_named_in(path_);
    if (!named) {
        failure_ = errno != 0 ? errno : EIO;
        return;
    }
    const std::string& there = *named;
    // In one go: whoever is told of the one file finds the other.
    const StopRequest::Hold whole;
    if (!there.empty() && there != import_) {
        const std::string aside = aside_of(path_, there);
        if (std::rename(path_.c_str(), aside.c_str()) != 0) {
            failure_ = errno;
            return;
        }
        kept_aside_ = aside;
    }
    if (count_ == 0) {
        removed_earlier_ = ::unlink(path_.c_str()) == 0;
    } else if (std::rename(unfinished_.c_str(), path_.c_str()) != 0) {
        failure_ = errno;
    }
}

void Rejects::copy_into_place() {
    std::rewind(file_.get());
    char block[64 * 1024];
    while (failure_ == 0) {
        const std::size_t count = std::fread(block, 1, sizeof block, file_.get());
        if (count == 0) break;
        if (std::fwrite(block, 1, count, target_.get()) != count) failure_ = errno;
    }
    if (failure_ == 0 && std::fflush(target_.get()) != 0) failure_ = errno;
    target_.reset();
}

}  // namespace standings::cli
