// To be preloaded: each fsync and fdatasync of the program takes a millisecond longer.
#include <dlfcn.h>

#include <cerrno>
#include <ctime>

namespace {

int slowly(const char* name, int descriptor) {
    const auto sync = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, name));
    const int done = sync(descriptor);
    const int error = errno;
    timespec left{.tv_sec = 0, .tv_nsec = 1'000'000};
    while (nanosleep(&left, &left) != 0) {
    }
    errno = error;
    return done;
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] int fsync(int descriptor) {
    return slowly("fsync", descriptor);
}

[[gnu::visibility("default")]] int fdatasync(int descriptor) {
    return slowly("fdatasync", descriptor);
}

}  // extern "C"
