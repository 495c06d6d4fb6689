#include "server/front.h"

#include <chrono>
#include <utility>

#include "api/handler.h"
#include "server/version.h"

namespace standings::server {
namespace {

using base::Result;

constexpr auto kDrainDeadline = std::chrono::milliseconds(3000);

std::string url_of(const ListenAddress& address, std::uint16_t port) {
    const bool v6 = address.host.find(':') != std::string::npos;
    return "http://" + (v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(port);
}

}  // namespace

Front::Front(const FrontParts& parts)
    : service_{parts.engine, parts.credentials, parts.random,
               kVersion,     &parts.jobs,       parts.backups} {}

Result<std::unique_ptr<Front>> Front::start(const ListenAddress& address, const FrontParts& parts) {
    std::unique_ptr<Front> front(new Front(parts));
    net::Server::Options options;
    options.address = address.host;
    options.port = address.port;
    auto server = net::Server::start(options, [&service = front->service_](net::Loop& loop) {
        return api::make_handler(service, loop);
    });
    if (!server) return server.error();
    front->server_ = std::move(*server);
    front->service_.transport = front->server_.get();
    front->url_ = url_of(address, front->server_->port());
    return front;
}

void Front::stop() {
    service_.draining = true;
    server_->drain(kDrainDeadline);
    // A backup that is under way ends here; it would be whole in minutes.
    if (service_.backups != nullptr) service_.backups->stop();
    service_.jobs->stop();
    // What was taken in is committed and answered while the loops still run.
    service_.engine.stop();
    server_->stop();
}

}  // namespace standings::server
