#include "server/freed_memory.h"

#include <malloc.h>

namespace standings::server {

void give_back_freed_memory() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

}  // namespace standings::server
