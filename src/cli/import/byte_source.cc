#include "cli/import/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr unsigned kBufferBytes = 256 * 1024;

Error cannot_read(const std::string& name, const std::string& why) {
    return {ErrorCode::kIo, "cannot read " + name + ": " + why};
}

gzFile gz(void* file) {
    return static_cast<gzFile>(file);
}

}  // namespace

void ByteSource::Closer::operator()(void* file) const {
    gzclose_r(gz(file));
}

ByteSource::ByteSource(void* file, std::string name, std::uint64_t size)
    : file_(file), name_(std::move(name)), size_(size) {}

Result<ByteSource> ByteSource::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return cannot_read(path, std::strerror(errno));
    auto source = open(descriptor, path);
    ::close(descriptor);
    return source;
}

Result<ByteSource> ByteSource::open(int descriptor, const std::string& name) {
    struct stat facts {};
    if (fstat(descriptor, &facts) != 0) return cannot_read(name, std::strerror(errno));
    if (S_ISDIR(facts.st_mode)) return cannot_read(name, "it is a folder");
    const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return cannot_read(name, std::strerror(errno));
    const gzFile file = gzdopen(own, "rb");
    if (file == nullptr) {
        ::close(own);
        return cannot_read(name, "no memory for it");
    }
    gzbuffer(file, kBufferBytes);
    return ByteSource(file, name, static_cast<std::uint64_t>(std::max<off_t>(facts.st_size, 0)));
}

Result<std::size_t> ByteSource::read(std::span<char> out) {
    const auto wanted = static_cast<unsigned>(std::min<std::size_t>(out.size(), INT_MAX));
    const int count = gzread(gz(file_.get()), out.data(), wanted);
    int code = Z_OK;
    const char* text = gzerror(gz(file_.get()), &code);
    if (code == Z_ERRNO) return cannot_read(name_, std::strerror(errno));
    // zlib says so about a file that ends inside a member, and only then.
    if (code == Z_BUF_ERROR && count == 0) {
        return cannot_read(name_, "the gzip file is cut off; fetch or pack it again");
    }
    if (count < 0)
        return cannot_read(name_, "the gzip file is damaged (" + std::string(text) + ")");
    return static_cast<std::size_t>(count);
}

std::uint64_t ByteSource::position() const {
    return static_cast<std::uint64_t>(std::max<z_off_t>(gzoffset(gz(file_.get())), 0));
}

}  // namespace standings::cli
