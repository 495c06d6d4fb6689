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
    // Where it was written instead, when there is nobody to show it to.
    std::string written_to;
};

// `given` (STANDINGS_INIT_KEY) replaces what is stored; without it the stored one holds; without
// that a new one is made. The folder keeps the SHA-256 only, but for DATA/initial-key, which is
// written when `show` is false.
base::Result<SecretKey> settle_secret_key(const DataFolder& folder, const std::string& given,
                                          base::Random& random, bool show);

}  // namespace standings::server
