// Sends an import to a server, until the server has all of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "cli/http_client.h"
#include "cli/import/progress.h"
#include "cli/import/refusals.h"
#include "cli/import/row_stream.h"

namespace standings::cli {

struct ImportPlan {
    const Input& input;
    FileFormat format;
    const FieldMap& map;
    std::string board;
    std::string key;  // the Idempotency-Key
};

// What the server says at the end.
struct UploadSummary {
    RowCounts counts;  // of the last pass over the input
    std::uint64_t accepted = 0;
    std::uint64_t rejected = 0;  // by the server
    std::uint64_t replayed = 0;  // of both, what it had before the last connection
    std::uint64_t seq = 0;
};

// `accepted` sees every row of a pass, `starting` the beginning of each pass.
struct RowObserver {
    std::function<void()> starting;
    std::function<void(const ImportRow&)> accepted;
};

// A connection that breaks and a server that is busy or restarts are waited for; the same key makes
// the server skip what it has. Fails with what the server refused, or kIo when it stayed away.
// `refusals` gets and keeps what the server refuses, also when this fails; kIo where it cannot.
base::Result<UploadSummary> upload(HttpClient& client, const ImportPlan& plan, Rejects& rejects,
                                   Refusals& refusals, Progress& progress,
                                   const RowObserver& observer);

}  // namespace standings::cli
