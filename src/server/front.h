// The HTTP side of a running server: the API over an engine, on an address.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "access/credentials.h"
#include "api/publisher.h"
#include "api/service.h"
#include "base/random.h"
#include "base/result.h"
#include "engine/engine.h"
#include "jobs/backups.h"
#include "jobs/job_list.h"
#include "net/server.h"
#include "server/settings.h"

namespace standings::server {

// What a front stands before; all of it outlives the front.
struct FrontParts {
    engine::Engine& engine;
    const access::Credentials& credentials;
    base::Random& random;
    jobs::JobList& jobs;
    jobs::Backups* backups = nullptr;  // none: the ledger has no file to copy
};

// If you hold one, it listens. Owner and thread: whoever runs the server.
class Front {
  public:
    // kBusy when the port is taken, with its owner where that is known. What `settings` names
    // outlives it.
    static base::Result<std::unique_ptr<Front>> start(const ListenAddress& address,
                                                      const FrontParts& parts,
                                                      const FrontSettings& settings = {});
    // Fails as start() would where the address is in use.
    static base::Result<void> check_address(const ListenAddress& address);

    ~Front() { publisher_.stop(); }
    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    // "http://127.0.0.1:8420"
    const std::string& url() const { return url_; }

    // Answers what is in flight, ends jobs, commits what was taken in, ends engine and loops.
    void stop();

  private:
    Front(const FrontParts& parts, const FrontSettings& settings);

    api::Publisher publisher_;
    api::Service service_;
    std::unique_ptr<net::Server> server_;
    std::string url_;
    const std::chrono::milliseconds drain_deadline_;
};

}  // namespace standings::server
