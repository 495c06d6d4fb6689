// Who may do what. Today one secret key with every scope; the full key model takes this place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace standings::access {

// What a route asks for. The numbers are bits.
enum class Scope : std::uint8_t {
    kNone = 0,  // anybody
    kRead = 1,  // public boards need none
    kReadPrivate = 2,
    kSubmit = 4,
    kModerate = 8,
    kBoards = 16,
    kAdmin = 32,
};

// Who sent a request, and what that allows.
struct Caller {
    std::string_view id;  // of the credential, for idempotency and logs; empty: nobody
    std::uint8_t scopes = 0;

    bool may(Scope scope) const {
        const auto wanted = static_cast<std::uint8_t>(scope);
        return (scopes & wanted) == wanted;
    }
};

// The id of whoever comes without a credential where that is enough.
inline constexpr std::string_view kAnyone = "anyone";

// Knows keys by their SHA-256 only. Immutable once made: any thread.
class Credentials {
  public:
    // `key`: 32 characters or more.
    static base::Result<Credentials> with_secret_key(std::string_view key);

    // For a demo in memory: whoever comes without a credential may read and submit, no key exists.
    static Credentials open_to_all();

    // What a server keeps of its key, and back. kIntegrity for what is no SHA-256.
    static base::Result<Credentials> with_digest(std::string_view digest_text);
    std::string digest_text() const;

    // No header: nobody, unless it is open to all. A key that is not known, or another scheme, is
    // kUnauthenticated. Compares in constant time.
    base::Result<Caller> identify(std::string_view authorization) const;

  private:
    using Digest = std::array<unsigned char, 32>;
    static Digest digest(std::string_view key);

    Digest secret_{};
    // Who comes without a credential.
    Caller stranger_{};
    bool has_key_ = true;
};

// A new secret key: "st_sk_" and 40 characters, 200 bits of chance.
std::string make_secret_key(base::Random& random);

}  // namespace standings::access
