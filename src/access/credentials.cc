#include "access/credentials.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <charconv>
#include <memory>

#include "base/check.h"

namespace standings::access {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kMinKeyLength = 32;
constexpr std::size_t kMaxKeyLength = 512;
constexpr std::string_view kScheme = "Bearer ";

// "bearer" in any case, as RFC 9110 has schemes.
bool has_bearer_scheme(std::string_view authorization) {
    if (authorization.size() < kScheme.size()) return false;
    for (std::size_t i = 0; i + 1 < kScheme.size(); ++i) {
        if ((authorization[i] | 0x20) != (kScheme[i] | 0x20)) return false;
    }
    return authorization[kScheme.size() - 1] == ' ';
}

}  // namespace

Credentials::Digest Credentials::digest(std::string_view key) {
    // Fetched once: a look-up by name costs more than the hash of a key.
    static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> kSha256(
        EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free);
    thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
        EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    Digest out{};
    unsigned length = 0;
    const bool done = EVP_DigestInit_ex2(context.get(), kSha256.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), key.data(), key.size()) == 1 &&
                      EVP_DigestFinal_ex(context.get(), out.data(), &length) == 1;
    CHECK(done && length == out.size());
    return out;
}

Result<Credentials> Credentials::with_secret_key(std::string_view key) {
    if (key.size() < kMinKeyLength || key.size() > kMaxKeyLength) {
        return Error{ErrorCode::kSettings,
                     "a secret key has 32 to 512 characters; make one with `openssl rand -hex 20`"};
    }
    for (const char c : key) {
        if (c > 0x20 && c < 0x7F) continue;
        return Error{ErrorCode::kSettings,
                     "a secret key has visible ASCII characters only, without spaces"};
    }
    Credentials credentials;
    credentials.secret_ = digest(key);
    return credentials;
}

Credentials Credentials::open_to_all() {
    Credentials credentials;
    credentials.has_key_ = false;
    credentials.stranger_ = {kAnyone, static_cast<std::uint8_t>(Scope::kRead) |
                                          static_cast<std::uint8_t>(Scope::kSubmit)};
    return credentials;
}

Result<Credentials> Credentials::with_digest(std::string_view digest_text) {
    while (digest_text.ends_with('\n')) digest_text.remove_suffix(1);
    const Error no_digest{ErrorCode::kIntegrity, "this is not the SHA-256 of a key"};
    Credentials credentials;
    if (digest_text.size() != 2 * credentials.secret_.size()) return no_digest;
    for (std::size_t i = 0; i < credentials.secret_.size(); ++i) {
        const char* at = digest_text.data() + 2 * i;
        const auto [end, failure] = std::from_chars(at, at + 2, credentials.secret_[i], 16);
        if (failure != std::errc{} || end != at + 2) return no_digest;
    }
    return credentials;
}

std::string Credentials::digest_text() const {
    constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : secret_) {
        text += kHex[byte >> 4];
        text += kHex[byte & 15];
    }
    return text + '\n';
}

Result<Caller> Credentials::identify(std::string_view authorization) const {
    if (authorization.empty()) return stranger_;
    if (!has_bearer_scheme(authorization)) {
        return Error{ErrorCode::kUnauthenticated,
                     "Send the key as `Authorization: Bearer st_sk_...`."};
    }
    if (!has_key_) {
        return Error{ErrorCode::kUnauthenticated, "There are no keys here. Send none."};
    }
    const Digest sent = digest(authorization.substr(kScheme.size()));
    if (CRYPTO_memcmp(sent.data(), secret_.data(), sent.size()) != 0) {
        return Error{ErrorCode::kUnauthenticated, "This key is not known here."};
    }
    return Caller{"init", 0xFF};
}

std::string make_secret_key(base::Random& random) {
    // 32 characters, so that 5 bits make one without a bias.
    constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
    static_assert(kAlphabet.size() == 32);
    std::array<std::byte, 40> chance{};
    random.fill(chance);
    std::string key = "st_sk_";
    for (const std::byte byte : chance) key += kAlphabet[static_cast<unsigned>(byte) % 32];
    return key;
}

}  // namespace standings::access
