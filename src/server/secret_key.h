// The one key of a server, from its first start on.
#pragma once

#include <optional>
#include <string>

#include "access/credentials.h"
#include "base/random.h"
#include "base/result.h"
#include "server/data_folder.h"

namespace standings::server {

struct SecretKey {
    access::Credentials credentials;
    // A key made just now, to be shown once.
    std::optional<std::string> made;
    // DATA/initial-key, where it waits for somebody to read it. Empty: it was shown once.
    std::string written_to;
};

// `given` (STANDINGS_INIT_KEY) replaces what is stored; without it the stored one holds; without
// that a new one is made. The folder keeps the SHA-256 only, but for DATA/initial-key: a start that
// fails before anybody saw the key does not lose it.
base::Result<SecretKey> settle_secret_key(const DataFolder& folder, const std::string& given,
                                          base::Random& random);

// Once a terminal has shown the key. False: it is still in its file.
bool forget_initial_key(const SecretKey& key);

}  // namespace standings::server
