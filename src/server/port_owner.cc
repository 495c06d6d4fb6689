#include "server/port_owner.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace standings::server {
namespace {

// The sockets that listen on `port`, as links in /proc/PID/fd name them.
void add_listeners(const char* table, std::uint16_t port, std::set<std::string>& sockets) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // the heading
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
        words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
            timeout >> inode;
        const std::size_t colon = local.find(':');
        if (state != "0A" || colon == std::string::npos) continue;  // 0A: LISTEN
        unsigned found = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
        if (found == port) sockets.insert("socket:[" + inode + ']');
    }
}

bool holds(const std::filesystem::path& process, const std::set<std::string>& sockets) {
    std::error_code failure;
    std::filesystem::directory_iterator at(process / "fd", failure);
    for (; !failure && at != std::filesystem::directory_iterator(); at.increment(failure)) {
        std::error_code unreadable;
        const auto target = std::filesystem::read_symlink(at->path(), unreadable);
        if (!unreadable && sockets.contains(target.string())) return true;
    }
    return false;
}

}  // namespace

std::string port_owner(std::uint16_t port) {
    std::set<std::string> sockets;
    add_listeners("/proc/net/tcp", port, sockets);
    add_listeners("/proc/net/tcp6", port, sockets);
    if (sockets.empty()) return {};
    std::error_code failure;
    std::filesystem::directory_iterator at("/proc", failure);
    for (; !failure && at != std::filesystem::directory_iterator(); at.increment(failure)) {
        const std::string pid = at->path().filename().string();
        if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
        if (!holds(at->path(), sockets)) continue;
        std::ifstream name_file(at->path() / "comm");
        std::string name;
        std::getline(name_file, name);
        return "pid " + pid + (name.empty() ? "" : " (" + name + ')');
    }
    return {};
}

}  // namespace standings::server
