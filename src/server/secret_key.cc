#include "server/secret_key.h"

#include <filesystem>
#include <system_error>

namespace standings::server {
namespace {

using base::Result;

constexpr const char* kDigestFile = "secret-key.sha256";
constexpr const char* kInitialKeyFile = "initial-key";

Result<SecretKey> use(const DataFolder& folder, const std::string& key) {
    auto credentials = access::Credentials::with_secret_key(key);
    if (!credentials) return credentials.error();
    const auto kept = write_private_file(folder.file(kDigestFile), credentials->digest_text());
    if (!kept) return kept.error();
    return SecretKey{*std::move(credentials), std::nullopt, {}};
}

}  // namespace

Result<SecretKey> settle_secret_key(const DataFolder& folder, const std::string& given,
                                    base::Random& random) {
    const std::string written_to = folder.file(kInitialKeyFile);
    if (!given.empty()) return use(folder, given);

    const auto stored = read_private_file(folder.file(kDigestFile));
    if (!stored) return stored.error();
    if (!stored->empty()) {
        auto credentials = access::Credentials::with_digest(*stored);
        if (!credentials) return credentials.error().with_context(folder.file(kDigestFile));
        SecretKey settled{*std::move(credentials), std::nullopt, {}};
        // Of an earlier start, if nobody has taken it from there yet.
        const auto waiting = read_private_file(written_to);
        if (!waiting) return waiting.error();
        const std::string key = waiting->substr(0, waiting->find('\n'));
        const auto same = access::Credentials::with_secret_key(key);
        if (same && same->digest_text() == settled.credentials.digest_text()) {
            settled.made = key;
            settled.written_to = written_to;
        }
        return settled;
    }

    const std::string key = access::make_secret_key(random);
    const auto written = write_private_file(written_to, key + "\n");
    if (!written) return written.error();
    auto used = use(folder, key);
    if (!used) return used.error();
    used->made = key;
    used->written_to = written_to;
    return used;
}

bool forget_initial_key(const SecretKey& key) {
    std::error_code failure;
    if (!key.written_to.empty()) std::filesystem::remove(key.written_to, failure);
    return !failure;
}

}  // namespace standings::server
