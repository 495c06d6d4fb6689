#include "server/settings.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace standings::server {

using base::Error;
using base::ErrorCode;
using base::Result;

Result<ListenAddress> parse_listen(const std::string& text) {
    const Error wrong{ErrorCode::kSettings,
                      "--listen is an address and a port, like "
                      "127.0.0.1:8420 or [::1]:8420, not '" +
                          text + "'"};
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return wrong;
    ListenAddress address;
    address.host = text.substr(0, colon);
    const bool bracketed = address.host.starts_with('[') && address.host.ends_with(']');
    if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
    if (!bracketed && address.host.find(':') != std::string::npos) return wrong;
    if (address.host.empty() || address.host == "*") address.host = "0.0.0.0";
    if (address.host == "localhost") address.host = "127.0.0.1";
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data() + colon + 1, end, address.port);
    if (failure != std::errc{} || at != end) return wrong;
    return address;
}

Result<std::string> secret_from_environment(const char* name) {
    const char* value = std::getenv(name);
    const std::string file_name = std::string(name) + "_FILE";
    const char* path = std::getenv(file_name.c_str());
    if (value != nullptr && path != nullptr) {
        return Error{ErrorCode::kSettings,
                     "set either " + std::string(name) + " or " + file_name + ", not both"};
    }
    if (value != nullptr) return std::string(value);
    if (path == nullptr) return std::string();
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) {
        return Error{ErrorCode::kSettings,
                     file_name + " names '" + path + "', which cannot be read"};
    }
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
}

}  // namespace standings::server
