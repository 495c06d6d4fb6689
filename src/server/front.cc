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

Front::Front(engine::Engine& engine, const access::Credentials& credentials, base::Random& random)
    : service_{engine, credentials, random, kVersion} {}

Result<std::unique_ptr<Front>> Front::start(const ListenAddress& address, engine::Engine& engine,
                                            const access::Credentials& credentials,
                                            base::Random& random) {
    std::unique_ptr<Front> front(new Front(engine, credentials, random));
    net::Server::Options options;
    options.address = address.host;
    options.port = address.port;
    auto server = net::Server::start(options, [&service = front->service_](net::Loop& loop) {
        return api::make_handler(service, loop);
    });
    if (!server) return server.error();
    front->server_ = std::move(*server);
    front->service_.transport = [&loops = *front->server_] { return loops.counters(); };
    front->url_ = url_of(address, front->server_->port());
    return front;
}

void Front::stop() {
    service_.draining = true;
    server_->drain(kDrainDeadline);
    // What was taken in is committed and answered while the loops still run.
    service_.engine.stop();
    server_->stop();
}

}  // namespace standings::server
