// Listening sockets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace standings::net {

struct Listeners {
    std::uint16_t port = 0;
    std::vector<int> sockets;  // the caller owns them
};

// `count` sockets on one address and port (0: a free one), among which the kernel spreads the
// clients. kBusy when somebody listens there already, this program included.
base::Result<Listeners> listen_on(const std::string& address, std::uint16_t port,
                                  std::size_t count);

}  // namespace standings::net
