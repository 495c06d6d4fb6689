// Submissions that come over a WebSocket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "access/credentials.h"
#include "api/live_message.h"
#include "api/service.h"
#include "base/result.h"

namespace standings::api {

// Who sent one, and hears what became of it. Thread: the loop's.
class LiveSubmitter {
  public:
    virtual ~LiveSubmitter() = default;
    // `id`: of the message. `replayed`: the key was used before, and this is what came of it then.
    virtual void on_receipt(const std::string& id, std::string_view receipt, bool replayed) = 0;
    virtual void on_problem(const std::string& id, const base::Error& error) = 0;
};

// Hands the submission to the engine; the submitter hears of it once, if it is still there by then.
// A failure is the answer itself. What is durable counts, whoever hears of it.
base::Result<void> submit_live(LoopTools& tools, const SubmitMessage& message,
                               const access::Caller& caller, std::string id,
                               std::weak_ptr<LiveSubmitter> submitter);

}  // namespace standings::api
