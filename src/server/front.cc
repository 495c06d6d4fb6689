#include "server/front.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/handler.h"
#include "net/listen.h"
#include "server/port_owner.h"
#include "server/version.h"

namespace standings::server {
namespace {

using base::Result;

std::string url_of(const ListenAddress& address, std::uint16_t port) {
    const bool v6 = address.host.find(':') != std::string::npos;
    return "http://" + (v6 ? '[' + address.host + ']' : address.host) + ':' + std::to_string(port);
}

// Names the owner of a port that is busy.
base::Error cannot_listen(base::Error error, std::uint16_t port) {
    if (error.code != base::ErrorCode::kBusy) return error;
    const std::string owner = port_owner(port);
    error.detail += owner.empty() ? "; choose another port with --listen"
                                  : "; it belongs to " + owner +
                                        ": stop it, or choose another port with --listen";
    return error;
}

// On most machines the soft limit is 1024, for the sake of programs that call select(2).
void raise_file_limit() {
    constexpr rlim_t kEnough = 65'536;
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, kEnough));
    ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

Result<void> Front::check_address(const ListenAddress& address) {
    const auto listeners = net::listen_on(address.host, address.port, 1);
    if (!listeners) return cannot_listen(listeners.error(), address.port);
    for (const int socket : listeners->sockets) ::close(socket);
    return {};
}

Front::Front(const FrontParts& parts, const FrontSettings& settings)
    : publisher_(parts.engine),
      service_{parts.engine, parts.credentials, parts.random, kVersion,
               &parts.jobs,  &publisher_,       parts.backups},
      drain_deadline_(settings.drain_deadline) {
    service_.limits = settings.limits;
    service_.log = settings.log;
    service_.slow_request = settings.slow_request;
}

Result<std::unique_ptr<Front>> Front::start(const ListenAddress& address, const FrontParts& parts,
                                            const FrontSettings& settings) {
    raise_file_limit();
    std::unique_ptr<Front> front(new Front(parts, settings));
    net::Server::Options options = settings.transport;
    options.address = address.host;
    options.port = address.port;
    auto server = net::Server::start(options, [&service = front->service_](net::Loop& loop) {
        return api::make_handler(service, loop);
    });
    if (!server) return cannot_listen(server.error(), address.port);
    front->publisher_.start();
    front->server_ = std::move(*server);
    front->service_.transport = front->server_.get();
    front->url_ = url_of(address, front->server_->port());
    return front;
}

void Front::stop() {
    service_.draining = true;
    publisher_.say_bye();
    server_->drain(drain_deadline_);
    // A backup that is under way ends here; it would be whole in minutes.
    if (service_.backups != nullptr) service_.backups->stop();
    service_.jobs->stop();
    // What was taken in is committed and answered while the loops still run.
    service_.engine.stop();
    publisher_.stop();
    server_->stop();
}

}  // namespace standings::server
