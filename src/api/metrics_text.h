// The server's counters in the Prometheus text format.
#pragma once

#include <string>

#include "api/service.h"

namespace standings::api {

void append_metrics(std::string& out, const Service& service);

}  // namespace standings::api
