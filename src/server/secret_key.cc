#include "server/secret_key.h"

namespace standings::server {
namespace {

using base::Result;

constexpr const char* kDigestFile = "secret-key.sha256";
constexpr const char* kInitialKeyFile = "initial-key";

Result<SecretKey> use(const DataFolder& folder, const std::string& key) {
    auto credentials = access::Credentials::with_secret_key(key);
    if (!credentials) return credentials.error().with_context("STANDINGS_INIT_KEY");
    const auto kept = write_private_file(folder.file(kDigestFile), credentials->digest_text());
    if (!kept) return kept.error();
    return SecretKey{*std::move(credentials), std::nullopt, {}};
}

}  // namespace

Result<SecretKey> settle_secret_key(const DataFolder& folder, const std::string& given,
                                    base::Random& random, bool show) {
    if (!given.empty()) return use(folder, given);

    const auto stored = read_private_file(folder.file(kDigestFile));
    if (!stored) return stored.error();
    if (!stored->empty()) {
        auto credentials = access::Credentials::with_digest(*stored);
        if (!credentials) return credentials.error().with_context(folder.file(kDigestFile));
        return SecretKey{*std::move(credentials), std::nullopt, {}};
    }

    const std::string key = access::make_secret_key(random);
    std::string written_to;
    if (!show) {
        written_to = folder.file(kInitialKeyFile);
        const auto written = write_private_file(written_to, key + "\n");
        if (!written) return written.error();
    }
    auto used = use(folder, key);
    if (!used) return used.error();
    used->made = key;
    used->written_to = written_to;
    return used;
}

}  // namespace standings::server
