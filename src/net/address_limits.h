// How many connections there are, in all and per address, over all loops.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace standings::net {

// Shared by the loops; any thread. A lock per accept and close of a counted address, none for
// loopback.
class AddressLimits {
  public:
    AddressLimits(std::size_t max_connections, std::size_t max_per_address)
        : max_connections_(max_connections), max_per_address_(max_per_address) {}

    enum class Verdict { kWelcome, kFull, kTooManyOfAddress };
    // Counts the connection if it is welcome. An empty key is not counted per address.
    Verdict admit(const std::string& key);
    void leave(const std::string& key);

  private:
    const std::size_t max_connections_;
    const std::size_t max_per_address_;
    std::atomic<std::size_t> connections_{0};
    std::mutex mutex_;  // guards per_address_
    std::unordered_map<std::string, std::size_t> per_address_;
};

}  // namespace standings::net
