// `top --watch` and `rank --watch`: a board as it changes.
#pragma once

#include <cstdint>
#include <optional>

#include "cli/client_settings.h"
#include "cli/listing.h"
#include "cli/watch/picture.h"

namespace standings::cli {

struct WatchSettings {
    ClientSettings client;
    Format format = Format::kTable;
    WatchedView view;
    std::optional<std::uint32_t> rate;  // messages a second at most; none: the server's choice
};

// Until Ctrl-C, or nobody reads on: then the exit code is 0. A server that is lost is waited for; a
// board that is gone ends it.
int watch_board(const WatchSettings& settings);

}  // namespace standings::cli
