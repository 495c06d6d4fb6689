// The browser of the person at this machine.
#pragma once

#include <string>

namespace standings::server {

// Asks the desktop to show `url`. False where there is none: nothing happens then. Does not wait
// for the browser.
bool open_browser(const std::string& url);

}  // namespace standings::server
