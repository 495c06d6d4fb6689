// Shows a page to whoever sits before this machine.
#pragma once

#include <string>

namespace standings::server {

// There is a desktop to show it on: DISPLAY or WAYLAND_DISPLAY is set.
bool has_desktop();

// Starts `xdg-open URL` as a process of its own: it is nobody's zombie, outlives this one, hears no
// signal of this terminal and writes nothing to it. Where it is missing, nothing happens.
void open_browser(const std::string& url);

}  // namespace standings::server
