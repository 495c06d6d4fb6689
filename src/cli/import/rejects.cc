#include "cli/import/rejects.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "base/output_path.h"
#include "text/clean_text.h"
#include "text/json_document.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

constexpr std::string_view kLineBegin = "{\"line\":";

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
    std::string begin(kLineBegin.size(), '\0');
    file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
    if (file.gcount() == 0 || begin == kLineBegin) return {};
    return base::Error{base::ErrorCode::kSettings,
                       "'" + rejects +
                           "' is there already and is no file of rejects: it would be replaced. "
                           "Name another file with --rejects, or move it away"};
}

std::unordered_map<std::uint64_t, EarlierReject> read_server_rejects(const std::string& path) {
    std::unordered_map<std::uint64_t, EarlierReject> rejects;
    struct stat old {};
    if (::stat(path.c_str(), &old) != 0 || !S_ISREG(old.st_mode)) return rejects;
    std::ifstream file(path, std::ios::binary);
    text::JsonDocument json;
    for (std::string line; std::getline(file, line);) {
        const auto parsed = json.parse(line);
        if (!parsed || !(*parsed)->is_object()) continue;
        const text::JsonNode* number = json.member(**parsed, "line");
        const text::JsonNode* reason = json.member(**parsed, "reason");
        const text::JsonNode* row = json.member(**parsed, "row");
        const bool whole = number != nullptr && number->is_number() && reason != nullptr &&
                           reason->is_string() && row != nullptr && row->is_string();
        if (!whole || !reason->text.starts_with(kServerSaid)) continue;
        std::uint64_t at = 0;
        std::from_chars(number->text.data(), number->text.data() + number->text.size(), at);
        rejects.insert_or_assign(at,
                                 EarlierReject{std::string(reason->text), std::string(row->text)});
    }
    return rejects;
}

Rejects::Rejects(std::string path) : path_(std::move(path)) {
    const auto real = base::replaceable_path(path_);
    if (!real) return;  // no ordinary file: not to be replaced
    path_ = *real;
    unfinished_ = path_ + ".part";
}

Rejects::~Rejects() {
    // After finish() there is nothing left of this name.
    if (file_ && !unfinished_.empty()) ::unlink(unfinished_.c_str());
}

std::FILE* Rejects::open() const {
    if (unfinished_.empty()) return std::fopen(path_.c_str(), "ae");
    std::FILE* file = std::fopen(unfinished_.c_str(), "we");
    struct stat earlier {};
    // A failure leaves the mode of any new file.
    if (file != nullptr && ::stat(path_.c_str(), &earlier) == 0) {
        static_cast<void>(::fchmod(::fileno(file), earlier.st_mode & 07777));
    }
    return file;
}

void Rejects::add(std::uint64_t line, std::string_view reason, std::string_view row) {
    ++count_;
    if (failure_ != 0) return;
    if (!file_) {
        file_.reset(open());
        if (!file_) {
            failure_ = errno;
            return;
        }
    }
    text_ = kLineBegin;
    text::append_number(text_, line);
    text_ += ',';
    text::append_member(text_, "reason", text::as_utf8(reason));
    text_ += ',';
    text::append_member(text_, "row", text::as_utf8(row));
    text_ += "}\n";
    if (std::fwrite(text_.data(), 1, text_.size(), file_.get()) != text_.size()) failure_ = errno;
}

void Rejects::start_over() {
    file_.reset();
    count_ = 0;
    failure_ = 0;
}

base::Result<void> Rejects::finish() {
    if (file_ && std::fflush(file_.get()) != 0 && failure_ == 0) failure_ = errno;
    if (unfinished_.empty()) {
        file_.reset();
    } else if (failure_ == 0) {
        if (count_ == 0) {
            ::unlink(path_.c_str());
        } else if (std::rename(unfinished_.c_str(), path_.c_str()) != 0) {
            failure_ = errno;
        }
    }
    if (failure_ == 0) return {};
    return base::Error{base::ErrorCode::kIo, "cannot write the rejects to " + path_ + ": " +
                                                 std::strerror(failure_) +
                                                 ". Name another file with --rejects"};
}

}  // namespace standings::cli
