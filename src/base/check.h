// CHECK stops the process when our own reasoning is wrong, in every build. A bad request, a full
// disk or an absent player is never a CHECK.
#pragma once

namespace standings::base {

[[noreturn, gnu::cold]] void check_failed(const char* expression, const char* file, int line);

}  // namespace standings::base

#define CHECK(condition)                               \
    (__builtin_expect(static_cast<bool>(condition), 1) \
         ? static_cast<void>(0)                        \
         : ::standings::base::check_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define DCHECK(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#else
#define DCHECK(condition) CHECK(condition)
#endif
