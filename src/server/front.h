// The HTTP side of a running server: the API over an engine, on an address.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "access/credentials.h"
#include "api/service.h"
#include "base/random.h"
#include "base/result.h"
#include "engine/engine.h"
#include "net/server.h"
#include "server/settings.h"

namespace standings::server {

// If you hold one, it listens. Owner and thread: whoever runs the server. Engine, credentials and
// random outlive it.
class Front {
  public:
    // kBusy when the port is taken, with its owner where that is known. What `settings` names
    // outlives it.
    static base::Result<std::unique_ptr<Front>> start(const ListenAddress& address,
                                                      engine::Engine& engine,
                                                      const access::Credentials& credentials,
                                                      base::Random& random,
                                                      const FrontSettings& settings = {});

    // "http://127.0.0.1:8420"
    const std::string& url() const { return url_; }

    // Answers what is in flight, commits what was taken in, ends engine and loops.
    void stop();

  private:
    Front(engine::Engine& engine, const access::Credentials& credentials, base::Random& random,
          const FrontSettings& settings);

    api::Service service_;
    std::unique_ptr<net::Server> server_;
    std::string url_;
    const std::chrono::milliseconds drain_deadline_;
};

}  // namespace standings::server
