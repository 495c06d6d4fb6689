#include "cli/import/refusals.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <functional>
#include <utility>

#include "cli/import/import_key.h"
#include "text/json_document.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// A refusal as a file has it.
struct Named {
    std::string_view import;
    std::uint64_t record;
    std::string_view reason;
};

// What is no refusal is passed over: a row rejected here, a line that was cut. Stops when `visit`
// says false.
Result<void> for_each_refusal(const std::string& path,
                              const std::function<bool(const Named&)>& visit) {
    const auto failed = [&] {
        return Error{ErrorCode::kIo, "cannot read " + path +
                                         ", which may name refused rows: " + std::strerror(errno)};
    };
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) {
        const bool none = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
        return none ? Result<void>() : Result<void>(failed());
    }
    if (!S_ISREG(facts.st_mode)) return {};
    std::ifstream file(path, std::ios::binary);
    if (!file) return failed();
    text::JsonDocument json;
    for (std::string line; std::getline(file, line);) {
        const auto parsed = json.parse(line);
        if (!parsed || !(*parsed)->is_object()) continue;
        const text::JsonNode* import = json.member(**parsed, "import");
        const text::JsonNode* record = json.member(**parsed, "record");
        const text::JsonNode* reason = json.member(**parsed, "reason");
        const bool whole = import != nullptr && import->is_string() &&
                           is_import_key(import->text) && record != nullptr &&
                           record->is_number() && reason != nullptr && reason->is_string();
        if (!whole) continue;
        Named named{import->text, 0, reason->text};
        const std::string_view digits = record->text;
        std::from_chars(digits.data(), digits.data() + digits.size(), named.record);
        if (!visit(named)) return {};
    }
    if (file.bad()) return failed();
    return {};
}

// A line that was cut must not take the next one with it.
bool ends_in_a_line(int file) {
    const off_t size = ::lseek(file, 0, SEEK_END);
    char last = '\n';
    return size <= 0 || ::pread(file, &last, 1, size - 1) != 1 || last == '\n';
}

}  // namespace

Refusals::Refusals(std::string path, std::string import)
    : path_(std::move(path)), import_(std::move(import)) {}

Result<void> Refusals::read(const std::string& path) {
    return for_each_refusal(path, [&](const Named& named) {
        if (named.import == import_) hold(named.record, named.reason);
        return true;
    });
}

void Refusals::add(std::uint64_t record, std::string_view reason) {
    const std::string said = std::string(kServerSaid) + std::string(reason);
    hold(record, said);
    if (!path_.empty()) write_later(record, said);
}

void Refusals::write_later(std::uint64_t record, std::string_view said) {
    unkept_ += "{\"record\":";
    text::append_number(unkept_, record);
    unkept_ += ',';
    text::append_member(unkept_, "import", import_);
    unkept_ += ',';
    text::append_member(unkept_, "reason", said);
    unkept_ += "}\n";
}

void Refusals::hold(std::uint64_t record, std::string_view reason) {
    in_order_ = in_order_ && (refusals_.empty() || refusals_.back().record < record);
    refusals_.push_back({record, &*reasons_.emplace(reason).first});
}

Result<void> Refusals::keep() {
    const auto failed = [&] {
        return Error{ErrorCode::kIo, "cannot keep in " + path_ +
                                         " what the server refuses: " + std::strerror(errno) +
                                         ". Mend that; the same command then goes on"};
    };
    if (unkept_.empty()) return {};
    const bool forgotten = file_.number() >= 0 && is_forgotten();
    if (forgotten) {
        // Another run of the import has removed the file, and may have done so before it had read
        // all of it.
        unkept_.clear();
        for (const Refusal& refusal : refusals_) write_later(refusal.record, *refusal.reason);
    }
    if (file_.number() < 0 || forgotten) {
        // Read as well, for its last byte; for nobody else, as the rejects may be.
        file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        if (file_.number() < 0) return failed();
        if (!ends_in_a_line(file_.number())) unkept_.insert(0, 1, '\n');
    }
    while (!unkept_.empty()) {
        const ssize_t count = ::write(file_.number(), unkept_.data(), unkept_.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed();
        unkept_.erase(0, static_cast<std::size_t>(count));
    }
    return {};
}

bool Refusals::is_forgotten() const {
    struct stat facts {};
    return ::fstat(file_.number(), &facts) == 0 && facts.st_nlink == 0;
}

void Refusals::forget() {
    if (!path_.empty()) ::unlink(path_.c_str());
    file_ = Descriptor();
}

const std::vector<Refusals::Refusal>& Refusals::by_record() {
    if (in_order_) return refusals_;
    const auto before = [](const Refusal& a, const Refusal& b) { return a.record < b.record; };
    const auto same = [](const Refusal& a, const Refusal& b) { return a.record == b.record; };
    std::sort(refusals_.begin(), refusals_.end(), before);
    refusals_.erase(std::unique(refusals_.begin(), refusals_.end(), same), refusals_.end());
    in_order_ = true;
    return refusals_;
}

Result<std::string> import_named_in(const std::string& path) {
    std::string import;
    const auto read = for_each_refusal(path, [&](const Named& named) {
        import = named.import;
        return false;
    });
    if (!read) return read.error();
    return import;
}

}  // namespace standings::cli
