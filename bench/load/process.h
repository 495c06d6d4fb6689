#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace load {

// CPU time of all the process's threads so far; threads that have ended are not in it.
inline std::uint64_t cpu_nanoseconds(int pid) {
    std::uint64_t sum = 0;
    std::error_code error;
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
        std::ifstream schedstat(task.path() / "schedstat");
        std::uint64_t running = 0;
        if (schedstat >> running) sum += running;
    }
    return sum;
}

}  // namespace load
