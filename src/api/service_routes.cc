// What operators and machines ask: health, version, metrics.
#include <string>

#include "api/metrics_text.h"
#include "api/routes.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

void get_health(Call& call) {
    call.reply.json(200, "{\"status\":\"ok\"}\n");
}

void get_ready(Call& call) {
    const Service& service = call.service();
    if (service.draining.load()) {
        return call.reply.problem({base::ErrorCode::kDraining, "The server is shutting down."});
    }
    if (service.engine.statistics().health.load() == engine::WriteHealth::kUnknown) {
        return call.reply.problem(
            {base::ErrorCode::kReadOnly, "The disk failed during a commit; restart the server."});
    }
    call.reply.json(200, "{\"status\":\"ready\"}\n");
}

void get_version(Call& call) {
    std::string& body = call.tools().body;
    body.assign("{\"name\":\"standings\",\"version\":\"");
    body += call.service().version;
    body += "\",\"api\":\"v1\"}\n";
    call.reply.json(200, body);
}

void get_metrics(Call& call) {
    std::string& body = call.tools().body;
    body.clear();
    append_metrics(body, call.service());
    call.reply.send(200, "text/plain; version=0.0.4; charset=utf-8", body,
                    "Cache-Control: no-store\r\n");
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/healthz", access::Scope::kNone, get_health, true},
    {net::Method::kGet, "/readyz", access::Scope::kNone, get_ready, true},
    {net::Method::kGet, "/version", access::Scope::kNone, get_version, true},
    {net::Method::kGet, "/metrics", access::Scope::kNone, get_metrics},
};

}  // namespace

std::span<const Route> service_routes() {
    return kRoutes;
}

}  // namespace standings::api
