// Answers that need names: from the cache at once, or from the disk on a worker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "api/call.h"
#include "engine/queries.h"
#include "engine/read_pool.h"

namespace standings::api {

// Fills page.details for rows that the cache knows; answers the rows that it does not.
std::vector<std::size_t> resolve_details(LoopTools& tools, engine::Page& page);

// What an answer is without the names that cannot be read now. The answer to a write must not be a
// failure: what it tells of is durable, and whoever heard otherwise would write it again.
enum class WithoutNames : std::uint8_t { kProblem, kBareRows };

// Renders the page with its names and answers `reply`: at once where the cache has all of them,
// else when a worker has read the rest. `render(page, reply)` runs at most once, on the loop's
// thread.
using RenderPage = std::function<void(const engine::Page&, Reply&)>;
void read_details(engine::Page& page, std::vector<std::size_t> missing, Reply reply,
                  RenderPage render, WithoutNames without);

template <class Render>
void with_details(engine::Page& page, Reply& reply, Render&& render,
                  WithoutNames without = WithoutNames::kProblem) {
    auto missing = resolve_details(reply.tools(), page);
    if (missing.empty()) {
        render(page, reply);
    } else {
        read_details(page, std::move(missing), std::move(reply), std::forward<Render>(render),
                     without);
    }
}

}  // namespace standings::api
