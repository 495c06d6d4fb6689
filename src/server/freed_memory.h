// What a large piece of work has freed.
#pragma once

namespace standings::server {

// Promise: memory that an export, a check or a large stream has used goes back to the system when
// it is freed, whichever thread it was on. By itself glibc takes the largest block that was ever
// freed (up to 32 MiB) for a usual one, and keeps such blocks, and twice as much at the end of each
// thread's heap, for the next time: six exports of 200,000 players left 120 MiB behind. To be
// called before there are threads. Cost: a page fault for each 4 KiB of a block of more than 1 MiB.
void give_back_freed_memory();

}  // namespace standings::server
