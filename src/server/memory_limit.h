// How much memory this process may use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace standings::server {

// The least of the machine's memory, the limits of the control groups that we are in, and
// `ulimit -v`. Reads a few small files.
std::uint64_t memory_limit();

// The least limit of the control groups (version 1 or 2) that the file `membership` names, and of
// those around them, under `root`. None when there is no such limit.
std::optional<std::uint64_t> cgroup_memory_limit(
    const std::string& membership = "/proc/self/cgroup",
    const std::string& root = "/sys/fs/cgroup");

}  // namespace standings::server
