// Who listens on a port, as far as /proc tells this user.
#pragma once

#include <cstdint>
#include <string>

namespace standings::server {

// "pid 4711 (nginx)"; empty when nobody does, or it is another user's process.
std::string port_owner(std::uint16_t port);

}  // namespace standings::server
